//! The gateway as a client sees it, over real sockets, with functions of the tests' own.

use std::collections::HashMap;
use std::future::Future;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lumos_model::cell::Start;
use lumos_model::phase::{Phase, Phases};
use lumos_model::pool::PoolEvent;
use lumos_model::protocol::HttpLimits;
use lumos_model::row::{Outcome, Sample};
use lumos_model::units::{ByteSize, Span};
use tokio::sync::{Notify, oneshot};

use super::{Closed, Gateway};
use crate::cgroup::Counters;
use crate::clock::monotonic_ns;
use crate::service::{Answer, Cause, Pending, Request, Service, Standing};

/// Does what a request's body says: `here` is served on the event loop, and `hold` too, which
/// ends when the test says so; `wait` is answered when the test says so; the word of a cause is answered with it; all
/// else comes back.
#[derive(Default)]
struct Script {
    waiting: Mutex<Vec<oneshot::Sender<()>>>,
    busy: Arc<AtomicU32>,
    done: Notify,
    released: Mutex<bool>,
    release: Condvar,
}

const CAUSES: [Cause; 9] = [
    Cause::BadRequest,
    Cause::FunctionFailed,
    Cause::Trapped,
    Cause::OutOfMemory,
    Cause::DeadlinePassed,
    Cause::QueueFull,
    Cause::Draining,
    Cause::NoInstance,
    Cause::Answered,
];

fn answer(request: &Request, cause: Cause) -> Answer {
    let total_ns = monotonic_ns() - request.intended_ns;
    let mut phases_ns = Phases::default();
    phases_ns.add(Phase::Queue, 1_000);
    phases_ns.close(total_ns.max(1_000)).unwrap();
    let served = !matches!(cause, Cause::QueueFull | Cause::Draining | Cause::NoInstance);
    let sample = Sample {
        seq: request.seq,
        start_kind: if served { Start::Warm } else { Start::Mixed },
        outcome: cause.outcome(),
        error: (cause != Cause::Answered).then(|| format!("it was \"{}\"", cause.as_str())),
        intended_ns: request.intended_ns,
        total_ns: total_ns.max(1_000),
        phases_ns,
        provision_spans: None,
        gap_ns: None,
        evicted_pages: None,
        resident_pages_after: None,
        instance: served.then_some(0),
        late_ns: None,
        platform_ns: None,
        teardown_ns: None,
        cpu_ns: None,
        memory_peak_bytes: None,
        linear_memory_bytes: None,
        output_bytes: None,
        output_sha256: None,
        output: None,
    };
    let body = if cause == Cause::Answered { request.body.clone() } else { Bytes::new() };
    Answer { cause, sample, body }
}

/// A request that runs; gone when it is answered or dropped.
struct Running(Arc<AtomicU32>);

impl Running {
    fn new(busy: &Arc<AtomicU32>) -> Self {
        busy.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(busy))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Script {
    fn busy(&self) -> u32 {
        self.busy.load(Ordering::SeqCst)
    }

    fn release(&self) {
        *self.released.lock().unwrap() = true;
        self.release.notify_all();
        for waiting in self.waiting.lock().unwrap().drain(..) {
            let _ = waiting.send(());
        }
    }
}

impl Service for Script {
    fn name(&self) -> &str {
        "script"
    }

    fn serve_here(&self, request: Request) -> Result<Answer, Request> {
        match &request.body[..] {
            b"here" => {}
            b"hold" => {
                let _running = Running::new(&self.busy);
                let released = self.released.lock().unwrap();
                drop(self.release.wait_while(released, |released| !*released).unwrap());
            }
            _ => return Err(request),
        }
        Ok(answer(&request, Cause::Answered))
    }

    fn submit(self: Arc<Self>, request: Request) -> Pending {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let running = Running::new(&self.busy);
        let wait = (text == "wait").then(|| {
            let (sender, receiver) = oneshot::channel();
            self.waiting.lock().unwrap().push(sender);
            receiver
        });
        Box::pin(async move {
            let stopped = match wait {
                Some(wait) => wait.await.is_err(),
                None => false,
            };
            let cause = match CAUSES.into_iter().find(|cause| cause.as_str() == text) {
                _ if stopped => Cause::Draining,
                Some(cause) => cause,
                None => Cause::Answered,
            };
            let answer = answer(&request, cause);
            drop(running);
            self.done.notify_waiters();
            answer
        })
    }

    fn standing(&self) -> Standing {
        Standing { idle: 1, busy: self.busy(), made: 3, ..Standing::default() }
    }

    fn drain(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            loop {
                let done = self.done.notified();
                if self.busy() == 0 {
                    return;
                }
                done.await;
            }
        })
    }

    fn stop(&self) {
        self.waiting.lock().unwrap().clear();
    }

    fn take_events(&self) -> (Vec<PoolEvent>, u64) {
        (Vec::new(), 0)
    }

    fn take_counters(&self) -> Vec<Counters> {
        Vec::new()
    }
}

fn open_with(limits: HttpLimits) -> (Arc<Script>, Gateway) {
    let script = Arc::new(Script::default());
    let services: Vec<Arc<dyn Service>> = vec![script.clone()];
    let listen = "127.0.0.1:0".parse().unwrap();
    (script, Gateway::open(services, listen, limits, Duration::ZERO, 10_000).unwrap())
}

fn open() -> (Arc<Script>, Gateway) {
    open_with(HttpLimits::default())
}

/// A client that speaks HTTP/1.1 by hand.
struct Client {
    stream: BufReader<TcpStream>,
}

#[derive(Debug)]
struct Reply {
    status: u16,
    headers: HashMap<String, String>,
    body: String,
}

impl Reply {
    /// The cause that an error names; it must agree with the status.
    fn cause(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).expect("JSON");
        let error = &body["error"];
        assert_eq!(error["status"], self.status, "{self:?}");
        assert!(!error["message"].as_str().unwrap().is_empty(), "{self:?}");
        assert_eq!(self.headers["content-type"], "application/json");
        error["cause"].as_str().unwrap().to_owned()
    }
}

impl Client {
    fn new(gateway: &Gateway) -> Self {
        let stream = TcpStream::connect(gateway.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    fn receive(&mut self) -> Reply {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.stream.read_line(&mut line).unwrap(), 0, "no answer: {lines:?}");
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
        let headers: HashMap<_, _> = lines[1..]
            .iter()
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        self.stream.read_exact(&mut body).unwrap();
        Reply { status, headers, body: String::from_utf8(body).unwrap() }
    }

    fn post(&mut self, body: &str) -> Reply {
        self.send(request(body));
        self.receive()
    }

    fn get(&mut self, path: &str) -> Reply {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"));
        self.receive()
    }

    fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]), Ok(0) | Err(_))
    }
}

fn request(body: &str) -> String {
    let length = body.len();
    format!("POST /script HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// Waits until something holds; a bound so that a test ends.
fn until(holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(30), "it never came");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn counts(closed: &Closed) -> Vec<(&str, u64)> {
    closed.causes.iter().map(|(cause, count)| (cause.as_str(), *count)).collect()
}

#[test]
fn answers_come_with_their_phases_on_one_connection_in_order() {
    let (_script, gateway) = open();
    let mut client = Client::new(&gateway);
    let reply = client.post("{\"a\":1}");
    assert_eq!((reply.status, reply.body.as_str()), (200, "{\"a\":1}"));
    let timing = &reply.headers["server-timing"];
    assert!(timing.starts_with("queue;dur=0.001000, "), "{timing}");
    assert!(timing.contains(", total;dur=") && timing.ends_with("start;desc=\"warm\""), "{timing}");
    // Three at once: the answers come in their order, whoever serves them.
    client.send([request("one"), request("here"), request("three")].concat());
    let bodies: Vec<_> = (0..3).map(|_| client.receive().body).collect();
    assert_eq!(bodies, ["one", "here", "three"]);
    // In pieces, and without a length.
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
        let reply = client.post(cause);
        assert_eq!((reply.status, reply.cause().as_str()), (status, cause));
        let passing = ["queue-full", "draining", "no-instance"].contains(&cause);
        assert_eq!(reply.headers.contains_key("retry-after"), passing, "{cause}");
        assert!(reply.headers.contains_key("server-timing"), "{cause}");
    }
    let outcomes: Vec<_> = gateway.take_records().0.iter().map(|sample| sample.outcome).collect();
    use Outcome::{Error, OutOfMemory, Rejected, Timeout, Trap};
    assert_eq!(outcomes, [Error, Error, Trap, OutOfMemory, Timeout, Rejected, Rejected, Error]);
}

#[test]
fn what_is_no_request_to_a_function_is_told_so() {
    let (_script, gateway) = open();
    let mut client = Client::new(&gateway);
    let reply = client.get("/healthz");
    assert_eq!((reply.status, reply.body.as_str()), (200, "ok\n"));
    client.send("POST /nobody HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}");
    let reply = client.receive();
    assert_eq!((reply.status, reply.cause().as_str()), (404, "unknown-function"));
    assert!(reply.body.contains("/script"), "it names those that are: {}", reply.body);
    let reply = client.get("/script");
    assert_eq!((reply.status, reply.cause().as_str()), (405, "method-not-allowed"));
    assert_eq!(reply.headers["allow"], "POST");
    client.send("DELETE /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
    let reply = client.receive();
    assert_eq!((reply.status, reply.headers["allow"].as_str()), (405, "GET, HEAD"));
    let mut stranger = Client::new(&gateway);
    stranger.send("this is no HTTP\r\n\r\n");
    let mut all = String::new();
    stranger.stream.read_to_string(&mut all).unwrap();
    assert!(all.starts_with("HTTP/1.1 400 "), "{all}");
    assert_eq!(counts(&gateway.close(Duration::from_secs(10))), [("method-not-allowed", 1)]);
}

#[test]
fn what_is_too_long_is_refused_whether_it_says_so_or_not() {
    let limits =
        HttpLimits { body: ByteSize(100_000), headers: ByteSize(1_000), ..HttpLimits::default() };
    let (_script, gateway) = open_with(limits);
    let mut client = Client::new(&gateway);
    assert_eq!(client.post(&"x".repeat(100_000)).status, 200);
    // Announced: refused before it is sent. The answer arrives although the body is sent
    // nevertheless.
    client.send("POST /script HTTP/1.1\r\nhost: x\r\ncontent-length: 3000000\r\n\r\n");
    let _ = client.stream.get_mut().write_all(&vec![b'x'; 3_000_000]);
    let reply = client.receive();
    assert_eq!((reply.status, reply.cause().as_str()), (413, "body-too-long"));
    assert!(client.is_closed());
    // Not announced.
    let mut client = Client::new(&gateway);
    client.send("POST /script HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunk = [b"9c40\r\n".to_vec(), vec![b'x'; 40_000], b"\r\n".to_vec()].concat();
    for _ in 0..3 {
        let _ = client.stream.get_mut().write_all(&chunk);
    }
    let reply = client.receive();
    assert_eq!((reply.status, reply.cause().as_str()), (413, "body-too-long"));
    assert!(client.is_closed());
    let mut client = Client::new(&gateway);
    let long = "y".repeat(1_000);
    client.send(format!("POST /script HTTP/1.1\r\nlong: {long}\r\ncontent-length: 0\r\n\r\n"));
    let reply = client.receive();
    assert_eq!((reply.status, reply.cause().as_str()), (431, "head-too-long"));
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
fn who_is_slow_is_told_and_who_is_idle_is_not() {
    let limits = HttpLimits { idle: Span(Duration::from_millis(100)), ..HttpLimits::default() };
    let (_script, gateway) = open_with(limits);
    let mut slow_head = Client::new(&gateway);
    slow_head.send("POST /script HTTP/1.1\r\nhos");
    let reply = slow_head.receive();
    assert_eq!((reply.status, reply.cause().as_str()), (408, "slow-head"));
    assert!(slow_head.is_closed());
    let mut slow_body = Client::new(&gateway);
    slow_body.send("POST /script HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nfive ");
    let reply = slow_body.receive();
    assert_eq!((reply.status, reply.cause().as_str()), (408, "slow-body"));
    assert!(slow_body.is_closed());
    let mut idle = Client::new(&gateway);
    assert_eq!(idle.post("x").status, 200);
    let mut rest = String::new();
    idle.stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "an idle connection is closed without a word");
    let closed = gateway.close(Duration::from_secs(10));
    assert_eq!(counts(&closed), [("answered", 1), ("slow-body", 1)]);
}

#[test]
fn a_client_that_leaves_is_counted_once() {
    let (script, gateway) = open();
    let mut waits = Client::new(&gateway);
    waits.send(request("wait"));
    until(|| script.busy() == 1);
    drop(waits);
    until(|| script.busy() == 0);
    let mut half = Client::new(&gateway);
    half.send("POST /script HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nfive ");
    half.stream.get_ref().shutdown(Shutdown::Both).unwrap();
    let causes = || gateway.causes();
    until(|| causes().get("client-left") == Some(&2));
    let closed = gateway.close(Duration::from_secs(10));
    assert_eq!(counts(&closed), [("client-left", 2)]);
    assert_eq!(closed.samples.len(), 2);
    assert!(closed.samples.iter().all(|sample| sample.outcome == Outcome::Cancelled));
}

/// The end of a connection may be seen together with a request, or any time after it.
#[test]
fn who_leaves_at_once_is_counted_too() {
    const CLIENTS: u64 = 2_000;
    let (_script, gateway) = open();
    for _ in 0..CLIENTS {
        Client::new(&gateway).send(request("wait"));
    }
    let all = || gateway.causes().values().sum::<u64>();
    until(|| all() == CLIENTS);
    assert_eq!(counts(&gateway.close(Duration::from_secs(10))), [("client-left", CLIENTS)]);
}

#[test]
fn connections_beyond_the_limit_wait() {
    let limits = HttpLimits { connections: 1, ..HttpLimits::default() };
    let (_script, gateway) = open_with(limits);
    let mut first = Client::new(&gateway);
    assert_eq!(first.post("x").status, 200);
    let mut second = Client::new(&gateway);
    second.send(request("y"));
    second.stream.get_ref().set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(second.stream.fill_buf().is_err(), "it was served beyond the limit");
    second.stream.get_ref().set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    drop(first);
    assert_eq!(second.receive().body, "y");
}

/// Runs `close` on a thread of its own and says when it has returned.
fn close_elsewhere(gateway: Gateway, within: Duration) -> Receiver<Closed> {
    let (sender, receiver): (Sender<Closed>, _) = channel();
    std::thread::spawn(move || sender.send(gateway.close(within)).unwrap());
    receiver
}

#[test]
fn what_runs_is_finished_and_who_comes_is_told() {
    let (script, gateway) = open();
    let address = gateway.address();
    let mut idle = Client::new(&gateway);
    assert_eq!(idle.get("/healthz").status, 200);
    let mut silent = Client::new(&gateway);
    let mut runs = Client::new(&gateway);
    runs.send(request("wait"));
    until(|| script.busy() == 1);
    until(|| gateway.shared.metrics.connections.get() == 3);
    let closed = close_elsewhere(gateway, Duration::from_secs(30));
    assert!(idle.is_closed(), "an idle connection is closed at once");
    assert_eq!(silent.get("/healthz").status, 503, "who has asked for nothing yet is told");
    let connect = || {
        let stream = TcpStream::connect(address).unwrap();
        Client { stream: BufReader::new(stream) }
    };
    let mut late = connect();
    let reply = late.post("late");
    assert_eq!((reply.status, reply.cause().as_str()), (503, "draining"));
    assert_eq!(reply.headers["connection"], "close");
    assert!(late.is_closed());
    assert_eq!(connect().get("/healthz").status, 503);
    script.release();
    let reply = runs.receive();
    assert_eq!((reply.status, reply.body.as_str()), (200, "wait"));
    let closed = closed.recv().unwrap();
    assert_eq!(counts(&closed), [("answered", 1), ("draining", 1)]);
    assert_eq!(closed.stopped, 0);
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn what_runs_too_long_is_stopped_and_answered() {
    let (script, gateway) = open();
    let mut runs = Client::new(&gateway);
    runs.send(request("wait"));
    until(|| script.busy() == 1);
    let closed = close_elsewhere(gateway, Duration::from_millis(50));
    let reply = runs.receive();
    assert_eq!((reply.status, reply.cause().as_str()), (503, "draining"));
    let closed = closed.recv().unwrap();
    assert_eq!((counts(&closed), closed.stopped), (vec![("draining", 1)], 1));
}

/// A function does not return on the event loop's thread: the loop goes on without it.
#[test]
fn a_function_that_is_not_short_after_all_holds_up_nobody() {
    let (script, gateway) = open();
    let mut other = Client::new(&gateway);
    assert_eq!(other.get("/healthz").status, 200);
    let mut long = Client::new(&gateway);
    long.send(request("hold"));
    until(|| script.busy() == 1);
    for _ in 0..20 {
        assert_eq!(other.get("/healthz").status, 200);
        assert_eq!(other.post("x").body, "x");
        assert_eq!(other.post("here").body, "here");
    }
    assert_eq!(gateway.causes()["answered"], 40, "the long one is not over");
    script.release();
    assert_eq!(long.receive().body, "hold");
}

#[test]
fn the_address_must_be_free_and_names_must_be_functions_own() {
    let (script, gateway) = open();
    let again = |services: Vec<Arc<dyn Service>>, listen| {
        let limits = HttpLimits::default();
        let error = Gateway::open(services, listen, limits, Duration::ZERO, 0).err();
        error.expect("it was opened").to_string()
    };
    let error = again(vec![], gateway.address());
    assert!(error.contains(&gateway.address().to_string()), "{error}");
    let free = "127.0.0.1:0".parse().unwrap();
    let error = again(vec![script.clone(), script], free);
    assert!(error.contains("two functions are named script"), "{error}");
}

#[test]
fn samples_are_kept_up_to_the_limit_and_counted_beyond() {
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
    for body in ["a", "bc", "trapped", "here"] {
        client.post(body);
    }
    let reply = client.get("/metrics");
    assert_eq!(reply.headers["content-type"], super::metrics::CONTENT_TYPE);
    let text = &reply.body;
    let has = |line: &str| assert!(text.lines().any(|l| l == line), "no `{line}` in\n{text}");
    has("lumos_requests_total{function=\"script\",cause=\"answered\"} 3");
    has("lumos_requests_total{function=\"script\",cause=\"trapped\"} 1");
    has("lumos_requests_total{function=\"script\",cause=\"client-left\"} 0");
    has("lumos_invocation_duration_seconds_count{function=\"script\",start=\"warm\"} 4");
    has("lumos_queue_duration_seconds_count{function=\"script\"} 4");
    has("lumos_instances{function=\"script\",state=\"idle\"} 1");
    has("lumos_instances_made_total{function=\"script\"} 3");
    has("lumos_request_body_bytes_total 14");
    has("lumos_response_body_bytes_total 7");
    has("lumos_connections 1");
    has("# TYPE lumos_cold_starts counter");
    has("# UNIT lumos_queue_duration_seconds seconds");
    assert!(text.ends_with("# EOF\n"), "{text}");
}
