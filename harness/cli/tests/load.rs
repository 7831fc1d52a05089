//! `lumos load` and `lumos trace`, run as processes.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};

use lumos_testkit::scratch::{Ended, lumos, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Starts a server that answers each request with `status` and a body of five bytes.
fn server(status: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                while lines.any(|line| line.is_empty()) {
                    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 5\r\n\r\nhello");
                    if (&stream).write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    addr
}

fn call(arguments: &[&str]) -> Ended {
    Ended::of(Command::new(lumos()).args(arguments))
}

/// Standard output of a call that ends with `code`.
#[track_caller]
fn stdout(arguments: &[&str], code: i32) -> String {
    call(arguments).expect(code).stdout
}

/// Standard error of a call that is refused.
#[track_caller]
fn refusal(arguments: &[&str]) -> String {
    call(arguments).expect(2).stderr
}

#[test]
fn the_text_report_has_counts_and_percentiles() {
    let url = format!("http://{}/", server("200 OK"));
    let text = stdout(&["load", &url, "--rate", "500", "--requests", "50"], 0);
    for part in [
        "open loop, constant-500",
        "requests     50",
        "200: 50",
        "ok: 50",
        "p99.9",
        "latency, from the intended time",
        "service, from the send time",
        "send error",
        "late sends",
    ] {
        assert!(text.contains(part), "{part:?} is missing:\n{text}");
    }
    let text = stdout(&["load", &url, "-c", "3", "--requests", "50"], 0);
    assert!(text.contains("closed loop, closed-3") && text.contains("connections  3"), "{text}");
    assert!(!text.contains("send error"), "{text}");
}

#[test]
fn the_json_report_has_every_number() {
    let url = format!("http://{}/", server("200 OK"));
    let arguments = ["load", &url, "--requests", "40", "--format", "json", "--body", "x"];
    let json: Value = serde_json::from_str(&stdout(&arguments, 0)).unwrap();
    assert_eq!((&json["requests"], &json["statuses"]["200"]), (&40.into(), &40.into()));
    assert_eq!(json["method"], "POST");
    assert!(
        json["latency_ns"]["p99"].as_u64().unwrap() >= json["latency_ns"]["p50"].as_u64().unwrap()
    );
    assert_eq!(json["send_error"]["runs_first"], false, "a closed loop keeps no times");
    assert!(json["machine"]["cores"].as_u64().unwrap() > 0);
}

#[test]
fn delayed_requests_wait_for_their_gap() {
    let url = format!("http://{}/", server("200 OK"));
    for traffic in [["--rate", "1000"], ["-c", "1"]] {
        let rest = ["--delayed", "1,40ms", "--requests", "5", "--format", "json"];
        let arguments = [&["load", &url], &traffic[..], &rest].concat();
        let json: Value = serde_json::from_str(&stdout(&arguments, 0)).unwrap();
        let lasted_s = json["elapsed_s"].as_f64().unwrap();
        assert!(lasted_s >= 5.0 * 0.040, "{lasted_s} s: {json}");
    }
}

#[test]
fn a_failed_request_exits_with_1() {
    let url = format!("http://{}/", server("503 Busy"));
    let text = stdout(&["load", &url, "--requests", "10"], 1);
    assert!(text.contains("503: 10") && text.contains("status: 10"), "{text}");
}

#[test]
fn bad_usage_exits_with_2_and_says_what_to_do() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = format!("http://{closed}/");
    for (arguments, what) in [
        (vec!["load", "https://localhost/"], "TLS"),
        (vec!["load", "http://nowhere.invalid/"], "check the name"),
        (vec!["load", &refused], "is the server running"),
        (vec!["load", &refused, "--rate", "1", "-c", "2"], "cannot be used with"),
        (vec!["load", &refused, "--rate", "ten"], "is not a rate"),
        (vec!["load", &refused, "--trace", "/nowhere.csv"], "/nowhere.csv"),
        (vec!["load", &refused, "--body", "@/nowhere"], "read --body @/nowhere"),
        (vec!["load", &refused, "--header", "no colon"], "NAME:VALUE"),
        (vec!["load", &refused, "--delayed", "1.5,1s"], "is not a share from 0 to 1"),
    ] {
        let error = refusal(&arguments);
        assert!(error.contains(what), "{arguments:?}: {error}");
    }
    let url = format!("http://{}/", server("200 OK"));
    let error = refusal(&["load", &url, "--rate", "0", "--duration", "1s"]);
    assert!(error.contains("nothing was sent"), "{error}");
}

#[test]
fn ctrl_c_prints_the_report_so_far() {
    let url = format!("http://{}/", server("200 OK"));
    let mut command = Command::new(lumos());
    command.args(["load", &url, "-c", "1", "--duration", "1h"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The process blocks the signal once its signal thread is running.
    wait_until("SIGINT to be blocked", || blocks_sigint(child.id()));
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    let text = Ended::from(child.wait_with_output().unwrap()).expect(130).stdout;
    assert!(text.contains("stopped by a signal"), "{text}");
}

fn blocks_sigint(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() & 0b10 != 0
}

#[test]
fn load_sends_a_generated_trace() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.csv");
    let path = file.to_str().unwrap();
    let generate = |seed: &str, out: &Path| {
        let out = out.to_str().unwrap();
        let kind = ["trace", "generate", "poisson", "--rate", "200"];
        let options = ["--seed", seed, "--duration", "500ms", "--out", out];
        stdout(&[&kind[..], &options].concat(), 0);
        std::fs::read_to_string(out).unwrap()
    };
    let text = generate("7", &file);
    assert!(text.starts_with("# poisson-200, seed 7\nat_s\n0."), "{text}");
    assert_eq!(text, generate("7", &folder.path().join("same.csv")));
    assert_ne!(text, generate("8", &folder.path().join("other.csv")));
    let count = text.lines().count() - 2;

    let url = format!("http://{}/", server("200 OK"));
    let arguments = ["load", &url, "--trace", path, "--format", "json"];
    let json: Value = serde_json::from_str(&stdout(&arguments, 0)).unwrap();
    assert_eq!(json["outcomes"]["ok"], count);
    let described = stdout(&["trace", "describe", path, "--format", "json"], 0);
    let described: Value = serde_json::from_str(&described).unwrap();
    assert_eq!(described["arrivals"], count);
    let again = folder.path().join("again.csv");
    let arguments = ["trace", "generate", "trace", path, "--out", again.to_str().unwrap()];
    stdout(&arguments, 0);
    let again = std::fs::read_to_string(again).unwrap();
    assert!(again.lines().skip(1).eq(text.lines().skip(1)), "times must survive being written");
}

#[test]
fn a_trace_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counts.csv");
    let azure = "HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,a,abc,http,60,0,60\n\
        o,a,abd,http,0,0,1\n";
    std::fs::write(&file, azure).unwrap();
    let path = file.to_str().unwrap();
    let text = stdout(&["trace", "describe", path, "--function", "abc"], 0);
    for part in ["counts per minute", "arrivals      120", "1 above 1m", "kept alive for 10m  1 "] {
        assert!(text.contains(part), "{part:?} is missing:\n{text}");
    }
    let error = refusal(&["trace", "describe", path, "--function", "ab"]);
    assert!(error.contains("abc, abd"), "{error}");
    let error = refusal(&["trace", "describe", "/dev/null"]);
    assert!(error.contains("not a regular file"), "{error}");
}
