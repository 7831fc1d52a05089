//! How connections and the gateway end.

use std::io::{BufRead, BufReader, Read};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use lumos_model::protocol::HttpLimits;
use lumos_model::row::Outcome;
use lumos_model::units::Span;

use super::{Client, counts, open, open_with, request, until};
use crate::gateway::server::{Closed, Gateway};

#[test]
fn slow_clients_get_a_response_and_idle_ones_do_not() {
    let limits = HttpLimits { idle: Span(Duration::from_millis(100)), ..HttpLimits::default() };
    let (_script, gateway) = open_with(limits);
    let mut slow_head = Client::new(&gateway);
    slow_head.send("POST /script HTTP/1.1\r\nhos");
    let response = slow_head.receive();
    assert_eq!((response.status, response.cause().as_str()), (408, "slow-head"));
    assert!(slow_head.is_closed());
    let mut slow_body = Client::new(&gateway);
    slow_body.send("POST /script HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nfive ");
    let response = slow_body.receive();
    assert_eq!((response.status, response.cause().as_str()), (408, "slow-body"));
    assert!(slow_body.is_closed());
    let mut idle = Client::new(&gateway);
    assert_eq!(idle.post("x").status, 200);
    let mut rest = String::new();
    idle.stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "an idle connection is closed without a response");
    let closed = gateway.close(Duration::from_secs(10));
    assert_eq!(counts(&closed), [("answered", 1), ("slow-body", 1)]);
}

#[test]
fn client_that_leaves_is_counted_once() {
    let (script, gateway) = open();
    let mut waiting = Client::new(&gateway);
    waiting.send(request("wait"));
    until(|| script.busy() == 1);
    drop(waiting);
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

/// The gateway may see the end of the connection together with the request, or later.
#[test]
fn client_that_leaves_at_once_is_counted_too() {
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
    assert!(second.stream.fill_buf().is_err(), "the second connection was served beyond the limit");
    second.stream.get_ref().set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    drop(first);
    assert_eq!(second.receive().body, "y");
}

/// Runs `close` on a new thread and sends its result.
fn close_in_background(gateway: Gateway, within: Duration) -> Receiver<Closed> {
    let (sender, receiver): (Sender<Closed>, _) = channel();
    std::thread::spawn(move || sender.send(gateway.close(within)).unwrap());
    receiver
}

#[test]
fn drain_finishes_running_requests_and_refuses_new_ones() {
    let (script, gateway) = open();
    let address = gateway.address();
    let mut idle = Client::new(&gateway);
    assert_eq!(idle.get("/healthz").status, 200);
    let mut silent = Client::new(&gateway);
    let mut running = Client::new(&gateway);
    running.send(request("wait"));
    until(|| script.busy() == 1);
    until(|| gateway.open_connections() == 3);
    let closed = close_in_background(gateway, Duration::from_secs(30));
    assert!(idle.is_closed(), "an idle connection is closed at once");
    assert_eq!(silent.get("/healthz").status, 503, "a first request gets a response");
    let connect = || {
        let stream = TcpStream::connect(address).unwrap();
        Client { stream: BufReader::new(stream) }
    };
    let mut late = connect();
    let response = late.post("late");
    assert_eq!((response.status, response.cause().as_str()), (503, "draining"));
    assert_eq!(response.headers["connection"], "close");
    assert!(late.is_closed());
    assert_eq!(connect().get("/healthz").status, 503);
    script.release();
    let response = running.receive();
    assert_eq!((response.status, response.body.as_str()), (200, "wait"));
    let closed = closed.recv().unwrap();
    assert_eq!(counts(&closed), [("answered", 1), ("draining", 1)]);
    assert_eq!(closed.stopped, 0);
    assert!(TcpStream::connect(address).is_err(), "the listener is closed");
}

#[test]
fn request_that_outlives_the_drain_is_stopped_and_answered() {
    let (script, gateway) = open();
    let mut running = Client::new(&gateway);
    running.send(request("wait"));
    until(|| script.busy() == 1);
    let closed = close_in_background(gateway, Duration::from_millis(50));
    let response = running.receive();
    assert_eq!((response.status, response.cause().as_str()), (503, "draining"));
    let closed = closed.recv().unwrap();
    assert_eq!((counts(&closed), closed.stopped), (vec![("draining", 1)], 1));
}

/// An inline call blocks its thread: the stand-by thread works for the loop.
#[test]
fn long_inline_call_does_not_delay_other_requests() {
    let (script, gateway) = open();
    let mut other = Client::new(&gateway);
    assert_eq!(other.get("/healthz").status, 200);
    let mut long = Client::new(&gateway);
    long.send(request("hold"));
    until(|| script.busy() == 1);
    for _ in 0..20 {
        assert_eq!(other.get("/healthz").status, 200);
        assert_eq!(other.post("x").body, "x");
        assert_eq!(other.post("inline").body, "inline");
    }
    assert_eq!(gateway.causes()["answered"], 40, "the long call has not ended");
    script.release();
    assert_eq!(long.receive().body, "hold");
}
