//! The ends of connections and of the gateway.

use std::io::{BufRead, BufReader, Read};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use lumos_model::protocol::HttpLimits;
use lumos_model::row::Outcome;
use lumos_model::units::Span;

use super::{Client, counts, open, open_with, request, until};
use crate::gateway::{Closed, Gateway};

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
