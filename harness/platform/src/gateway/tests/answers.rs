//! Responses, and what is recorded and counted of them.

use std::io::{BufRead, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use lumos_model::protocol::HttpLimits;
use lumos_model::row::Outcome;
use lumos_model::units::ByteSize;

use super::{Client, Script, counts, open, open_with, request};
use crate::gateway::metrics::CONTENT_TYPE;
use crate::gateway::server::Gateway;
use crate::service::Service;

#[test]
fn responses_carry_phases_and_keep_the_order_of_a_connection() {
    let (_script, gateway) = open();
    let mut client = Client::new(&gateway);
    let response = client.post("{\"a\":1}");
    assert_eq!((response.status, response.body.as_str()), (200, "{\"a\":1}"));
    let timing = &response.headers["server-timing"];
    assert!(timing.starts_with("queue;dur=0.001000, "), "{timing}");
    assert!(timing.contains(", total;dur=") && timing.ends_with("start;desc=\"warm\""), "{timing}");
    // Three pipelined requests are answered in order, whether they are served inline or not.
    client.send([request("one"), request("inline"), request("three")].concat());
    let bodies: Vec<_> = (0..3).map(|_| client.receive().body).collect();
    assert_eq!(bodies, ["one", "inline", "three"]);
    // A chunked body that arrives in pieces.
    client.send(
        "POST /script HTTP/1.1\r\nhost: x\r\nlumos-seq: 77\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    for piece in ["3\r\nabc\r\n", "2\r\nde\r\n", "0\r\n\r\n"] {
        client.send(piece);
    }
    assert_eq!(client.receive().body, "abcde");
    let (samples, lost) = gateway.take_records();
    assert_eq!((samples.len(), lost), (5, 0));
    assert_eq!(samples[4].seq, 77);
    assert!(gateway.take_records().0.is_empty());
    assert_eq!(counts(&gateway.close(Duration::from_secs(10))), [("answered", 5)]);
}

#[test]
fn each_cause_has_its_status() {
    let (_script, gateway) = open();
    let mut client = Client::new(&gateway);
    for (cause, status) in [
        ("bad-request", 400),
        ("function-failed", 500),
        ("trapped", 502),
        ("out-of-memory", 502),
        ("deadline-passed", 504),
        ("queue-full", 429),
        ("draining", 503),
        ("no-instance", 503),
    ] {
        let response = client.post(cause);
        assert_eq!((response.status, response.cause().as_str()), (status, cause));
        let passing = ["queue-full", "draining", "no-instance"].contains(&cause);
        assert_eq!(response.headers.contains_key("retry-after"), passing, "{cause}");
        assert!(response.headers.contains_key("server-timing"), "{cause}");
    }
    let outcomes: Vec<_> = gateway.take_records().0.iter().map(|sample| sample.outcome).collect();
    use Outcome::{Error, OutOfMemory, Rejected, Timeout, Trap};

    assert_eq!(outcomes, [Error, Error, Trap, OutOfMemory, Timeout, Rejected, Rejected, Error]);
}

#[test]
fn requests_to_other_paths_or_methods_get_their_own_responses() {
    let (_script, gateway) = open();
    let mut client = Client::new(&gateway);
    let response = client.get("/healthz");
    assert_eq!((response.status, response.body.as_str()), (200, "ok\n"));
    client.send("POST /nobody HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}");
    let response = client.receive();
    assert_eq!((response.status, response.cause().as_str()), (404, "unknown-function"));
    assert!(response.body.contains("/script"), "the error names the functions: {}", response.body);
    let response = client.get("/script");
    assert_eq!((response.status, response.cause().as_str()), (405, "method-not-allowed"));
    assert_eq!(response.headers["allow"], "POST");
    client.send("DELETE /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
    let response = client.receive();
    assert_eq!((response.status, response.headers["allow"].as_str()), (405, "GET, HEAD"));
    let mut malformed = Client::new(&gateway);
    malformed.send("this is not HTTP\r\n\r\n");
    let mut all = String::new();
    malformed.stream.read_to_string(&mut all).unwrap();
    assert!(all.starts_with("HTTP/1.1 400 "), "{all}");
    assert_eq!(counts(&gateway.close(Duration::from_secs(10))), [("method-not-allowed", 1)]);
}

#[test]
fn long_bodies_and_heads_are_refused_whether_announced_or_not() {
    let limits =
        HttpLimits { body: ByteSize(100_000), headers: ByteSize(1_000), ..HttpLimits::default() };
    let (_script, gateway) = open_with(limits);
    let mut client = Client::new(&gateway);
    assert_eq!(client.post(&"x".repeat(100_000)).status, 200);
    // An announced length is refused before the body is sent. The response arrives even though
    // the client sends the body anyway.
    client.send("POST /script HTTP/1.1\r\nhost: x\r\ncontent-length: 3000000\r\n\r\n");
    let _ = client.stream.get_mut().write_all(&vec![b'x'; 3_000_000]);
    let response = client.receive();
    assert_eq!((response.status, response.cause().as_str()), (413, "body-too-long"));
    assert!(client.is_closed());
    // A chunked body has no announced length.
    let mut client = Client::new(&gateway);
    client.send("POST /script HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunk = [b"9c40\r\n".to_vec(), vec![b'x'; 40_000], b"\r\n".to_vec()].concat();
    for _ in 0..3 {
        let _ = client.stream.get_mut().write_all(&chunk);
    }
    let response = client.receive();
    assert_eq!((response.status, response.cause().as_str()), (413, "body-too-long"));
    assert!(client.is_closed());
    let mut client = Client::new(&gateway);
    let long = "y".repeat(1_000);
    client.send(format!("POST /script HTTP/1.1\r\nlong: {long}\r\ncontent-length: 0\r\n\r\n"));
    let response = client.receive();
    assert_eq!((response.status, response.cause().as_str()), (431, "head-too-long"));
    let mut client = Client::new(&gateway);
    let long = "y".repeat(100_000);
    let _ = client
        .stream
        .get_mut()
        .write_all(format!("POST /script HTTP/1.1\r\nlong: {long}\r\n\r\n").as_bytes());
    let mut head = String::new();
    client.stream.read_line(&mut head).unwrap();
    assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
    let closed = gateway.close(Duration::from_secs(10));
    let expected = [("answered", 1), ("body-too-long", 2), ("head-too-long", 1)];
    assert_eq!(counts(&closed), expected);
}

#[test]
fn open_fails_if_the_address_is_in_use_or_a_name_is_not_unique() {
    let (script, gateway) = open();
    let again = |services: Vec<Arc<dyn Service>>, listen| {
        let limits = HttpLimits::default();
        let error = Gateway::open(services, listen, limits, Duration::ZERO, 0).err();
        error.expect("open must fail").to_string()
    };
    let error = again(vec![], gateway.address());
    assert!(error.contains(&gateway.address().to_string()), "{error}");
    let free = "127.0.0.1:0".parse().unwrap();
    let error = again(vec![script.clone(), script], free);
    assert!(error.contains("two functions are named script"), "{error}");
}

#[test]
fn samples_beyond_the_limit_are_counted_as_lost() {
    let script = Arc::new(Script::default());
    let listen = "127.0.0.1:0".parse().unwrap();
    let limits = HttpLimits::default();
    let gateway = Gateway::open(vec![script], listen, limits, Duration::ZERO, 2).unwrap();
    let mut client = Client::new(&gateway);
    (0..5).for_each(|_| assert_eq!(client.post("x").status, 200));
    let (samples, lost) = gateway.take_records();
    assert_eq!((samples.len(), lost), (2, 3));
    assert_eq!(client.post("x").status, 200);
    let (samples, lost) = gateway.take_records();
    assert_eq!((samples.len(), lost), (1, 0));
}

#[test]
fn metrics_are_openmetrics_and_agree_with_the_requests() {
    let (_script, gateway) = open();
    let mut client = Client::new(&gateway);
    for body in ["a", "bc", "trapped", "inline"] {
        client.post(body);
    }
    let response = client.get("/metrics");
    assert_eq!(response.headers["content-type"], CONTENT_TYPE);
    let text = &response.body;
    let has = |line: &str| assert!(text.lines().any(|l| l == line), "no `{line}` in\n{text}");
    has("lumos_requests_total{function=\"script\",cause=\"answered\"} 3");
    has("lumos_requests_total{function=\"script\",cause=\"trapped\"} 1");
    has("lumos_requests_total{function=\"script\",cause=\"client-left\"} 0");
    has("lumos_invocation_duration_seconds_count{function=\"script\",start=\"warm\"} 4");
    has("lumos_queue_duration_seconds_count{function=\"script\"} 4");
    has("lumos_instances{function=\"script\",state=\"idle\"} 1");
    has("lumos_instances_made_total{function=\"script\"} 3");
    has("lumos_request_body_bytes_total 16");
    has("lumos_response_body_bytes_total 9");
    has("lumos_connections 1");
    has("# TYPE lumos_cold_starts counter");
    has("# UNIT lumos_queue_duration_seconds seconds");
    assert!(text.ends_with("# EOF\n"), "{text}");
}
