//! Responses of each target in each isolation.

use std::io::{Read, Write};
use std::net::TcpStream;

use lumos_inputs::Placement;
use lumos_model::row::Sample;
use lumos_testkit::scratch::{Scratch, wait_until};
use lumos_testkit::server::{SUBJECTS, Server};

/// A tiny request, and the output of `lumos invoke` for it.
fn invoked(function: &str, target: &str) -> (String, String) {
    let args = ["invoke", function, "--target", target, "--format", "json"];
    let output = Scratch::new().lumos(&args).output().unwrap();
    let sample: Sample = serde_json::from_slice(&output.stdout).unwrap();
    let size = lumos_inputs::Size::Tiny;
    let request = lumos_inputs::request(function, size, 42, &Placement::Inline).unwrap();
    (
        String::from_utf8(request).unwrap(),
        sample.output.expect("`--format json` includes the output"),
    )
}

#[test]
fn outputs_equal_those_of_invoke_and_phases_add_up_to_the_total() {
    let functions = ["noop", "fibonacci", "fuzzy-search", "mandelbrot-bitmap"];
    for subject in SUBJECTS {
        let server = Server::start(&functions, subject, &[]);
        let mut client = server.client();
        assert_eq!(client.get("/healthz").body, "ok\n");
        for function in functions {
            let (request, expected) = invoked(function, subject.0);
            let cold = client.post(&format!("/{function}"), &request);
            assert_eq!(cold.status, 200, "{subject:?} {function}: {cold:?}");
            assert!(cold.body == expected, "{subject:?} {function}: a different output");
            assert!(cold.start().starts_with("cold:"), "{cold:?}");
            assert!(cold.timing("instantiate").is_some(), "{cold:?}");
            let warm = client.post(&format!("/{function}"), &request);
            assert!(warm.body == expected, "{subject:?} {function}: a different output");
            assert_eq!(warm.start(), "warm");
            assert_eq!(warm.timing("instantiate"), None);
            assert_eq!(warm.headers["content-type"], "application/json");
            for reply in [cold, warm] {
                let names = lumos_model::phase::Phase::ALL.iter().map(|phase| phase.as_str());
                let sum: f64 = names.filter_map(|name| reply.timing(name)).sum();
                let total = reply.timing("total").unwrap();
                assert!((sum - total).abs() < 1e-5, "{sum} of {total}: {reply:?}");
            }
        }
        let metrics = server.metrics();
        for function in functions {
            let of = |name: &str, more: &[(&str, &str)]| {
                metrics.value(name, &[&[("function", function)], more].concat())
            };
            assert_eq!(of("lumos_requests_total", &[("cause", "answered")]), Some(2.0));
            assert_eq!(of("lumos_cold_starts_total", &[]), Some(1.0));
            assert_eq!(of("lumos_instances_made_total", &[]), Some(1.0));
            assert_eq!(of("lumos_queue_duration_seconds_count", &[]), Some(2.0));
            let count = "lumos_invocation_duration_seconds_count";
            assert_eq!(of(count, &[("start", "warm")]), Some(1.0));
            assert_eq!(of("lumos_instances", &[("state", "idle")]), Some(1.0));
        }
        assert_eq!(metrics.sum("lumos_requests_total"), 8.0);
        assert!(metrics.value("process_start_time_seconds", &[]).is_some_and(|at| at > 1.7e9));
    }
}

/// Limits. The memory limit exceeds what a host's process needs for itself.
const LIMITS: [&str; 8] =
    ["--memory", "256MiB", "--timeout", "3s", "--max-body", "64KiB", "--max-headers", "1KiB"];

#[test]
fn each_failure_has_its_status_and_is_counted_once() {
    for subject in SUBJECTS {
        let server = Server::start(&["conformance", "noop"], subject, &LIMITS);
        let mut client = server.client();
        let mut ask = |request: &str| client.post("/conformance", request);
        assert_eq!(ask(r#"{"op":"echo","data":"x"}"#).body, r#"{"data":"x"}"#);
        for (request, status, cause, word) in [
            ("no JSON", 400, "bad-request", "not understood"),
            (r#"{"op":"dance"}"#, 400, "bad-request", "dance"),
            (r#"{"op":"refuse","message":"too blue"}"#, 400, "bad-request", "too blue"),
            (r#"{"op":"fail","message":"no luck"}"#, 500, "function-failed", "no luck"),
            (r#"{"op":"trap"}"#, 502, "trapped", ""),
            (r#"{"op":"exit","code":3}"#, 502, "trapped", "exit"),
            (r#"{"op":"oom"}"#, 502, "out-of-memory", "memory"),
            (r#"{"op":"spin"}"#, 504, "deadline-passed", ""),
        ] {
            let reply = ask(request);
            reply.is(status, cause);
            assert!(reply.body.contains(word), "{subject:?}: {reply:?}");
            assert!(reply.timing("total").is_some(), "{reply:?}");
        }
        // A failure that ends an instance does not end the function.
        assert_eq!(ask(r#"{"op":"echo","data":"y"}"#).body, r#"{"data":"y"}"#);
        let long = format!(r#"{{"op":"echo","data":"{}"}}"#, "x".repeat(64 << 10));
        ask(&long).is(413, "body-too-long");
        let mut client = server.client();
        client.get("/conformance").is(405, "method-not-allowed");
        let unknown = client.post("/nowhere", "{}");
        unknown.is(404, "unknown-function");
        assert!(unknown.body.contains("/conformance, /noop"), "{unknown:?}");
        assert_eq!(client.post("/noop", "{}").status, 200);

        let metrics = server.metrics();
        let labels = |cause| [("function", "conformance"), ("cause", cause)];
        for (cause, count) in [
            ("answered", 2.0),
            ("bad-request", 3.0),
            ("function-failed", 1.0),
            ("trapped", 2.0),
            ("out-of-memory", 1.0),
            ("deadline-passed", 1.0),
            ("body-too-long", 1.0),
            ("method-not-allowed", 1.0),
        ] {
            let counted = metrics.value("lumos_requests_total", &labels(cause));
            assert_eq!(counted, Some(count), "{subject:?}: {cause}");
        }
        assert_eq!(metrics.sum("lumos_requests_total"), 13.0, "no other request is counted");
        let failed = metrics.value("lumos_instances_failed_total", &[("function", "conformance")]);
        assert_eq!(failed, Some(4.0), "{subject:?}");
        assert_eq!(metrics.value("lumos_unknown_paths_total", &[]), Some(1.0));
    }
}

#[test]
fn full_queue_gives_429_and_client_that_leaves_is_counted() {
    for subject in SUBJECTS {
        let limits = ["--timeout", "3s", "--max-instances", "1", "--queue", "0"];
        let server = Server::start(&["conformance"], subject, &limits);
        let mut spinning = server.client();
        spinning.send("/conformance", r#"{"op":"spin"}"#);
        wait_until("the instance to serve", || server.busy("conformance") == 1.0);
        let full = server.client().post("/conformance", r#"{"op":"echo","data":"x"}"#);
        full.is(429, "queue-full");
        assert_eq!(full.headers["retry-after"], "1");
        spinning.receive().is(504, "deadline-passed");

        let mut leaving = server.client();
        leaving.send("/conformance", r#"{"op":"spin"}"#);
        wait_until("the instance to serve", || server.busy("conformance") == 1.0);
        drop(leaving);
        let left = || server.count("conformance", "client-left") == 1.0;
        wait_until("the gateway to see that the client has left", left);
        // The invocation runs to its deadline and is not counted again.
        wait_until("the instance to end", || server.busy("conformance") == 0.0);
        assert_eq!(server.metrics().sum("lumos_requests_total"), 3.0, "{subject:?}");
    }
}

#[test]
fn slow_client_gets_408_and_connections_are_limited() {
    let limits = ["--idle", "200ms", "--max-connections", "1"];
    let server = Server::start(&["noop"], SUBJECTS[0], &limits);
    let mut slow = TcpStream::connect(server.address).unwrap();
    slow.write_all(b"POST /noop HTTP/1.1\r\ncontent-length: 2\r\n\r\n{").unwrap();
    // This one waits until the first one is closed.
    let mut next = server.client();
    next.send("/noop", "{}");
    let mut response = String::new();
    slow.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 408 ") && response.contains("slow-body"), "{response}");
    drop(slow);
    assert_eq!(next.receive().status, 200);
}
