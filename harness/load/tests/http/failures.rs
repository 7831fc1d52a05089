//! Every failure has exactly one outcome.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lumos_load::http::{LoadError, LoadOptions, Outcome, Target};
use lumos_model::arrival::Share;

use super::server::{HELLO, Server, Then, closed, constant, load};

/// Checks that all requests to a server that sends `bytes` and closes have this outcome.
#[track_caller]
fn assert_outcome(bytes: &'static [u8], outcome: Outcome, error: &str) {
    let server = Server::saying(bytes, || Then::Close);
    for traffic in [closed(2), constant(1000.0)] {
        let (report, _) = load(&server.target(), &traffic, 10, LoadOptions::default()).unwrap();
        assert_eq!(report.outcome(outcome), 10, "{:?} {:?}", report.outcomes, report.errors);
        assert!(report.errors.keys().any(|known| known.contains(error)), "{:?}", report.errors);
        assert_eq!(report.failures(), 10);
    }
}

#[test]
fn garbage_is_malformed() {
    assert_outcome(b"\x16\x03\x01 this is not HTTP\r\n\r\n", Outcome::Malformed, "HTTP/1");
    let lengths: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello";
    assert_outcome(lengths, Outcome::Malformed, "two different content-lengths");
    let chunk: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n";
    assert_outcome(chunk, Outcome::Malformed, "the size of a chunk");
    let upgrade: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";
    assert_outcome(upgrade, Outcome::Malformed, "another protocol");
}

#[test]
fn a_response_that_ends_early_is_closed() {
    assert_outcome(b"", Outcome::Closed, "before the response was complete");
    assert_outcome(b"HTTP/1.1 200 OK\r\ncont", Outcome::Closed, "before the response");
    let short: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello";
    assert_outcome(short, Outcome::Closed, "before the response was complete");
}

#[test]
fn a_broken_connection_is_a_reset() {
    // Closing a socket with unread bytes resets the connection (RFC 1122, 4.2.2.13).
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.peek(&mut [0]);
        }
    });
    let target = Target::new(addr, "/".parse().unwrap());
    let (report, _) = load(&target, &closed(1), 10, LoadOptions::default()).unwrap();
    assert_eq!(report.outcome(Outcome::Reset), 10, "{:?}", report.outcomes);
}

#[test]
fn an_unanswered_request_times_out_and_others_continue() {
    let server = Server::start(|got, stream| {
        if got.number % 5 != 0 {
            stream.write_all(HELLO).unwrap();
        }
        Then::KeepOpen
    });
    let options = LoadOptions { timeout: Duration::from_millis(300), ..LoadOptions::default() };
    for traffic in [closed(3), constant(500.0)] {
        let (report, records) = load(&server.target(), &traffic, 50, options).unwrap();
        assert_eq!((report.outcome(Outcome::Timeout), report.outcome(Outcome::Ok)), (10, 40));
        let timeouts = records.iter().filter(|record| record.outcome == Outcome::Timeout);
        assert!(timeouts.into_iter().all(|r| r.ended_ns - r.intended_ns >= 300_000_000));
    }
}

#[test]
fn a_request_that_waits_too_long_for_a_connection_times_out_unsent() {
    let server = Server::start(|_, _| Then::KeepOpen);
    let options = LoadOptions {
        timeout: Duration::from_millis(200),
        connections: 1,
        ..LoadOptions::default()
    };
    let (report, records) = load(&server.target(), &constant(1e9), 20, options).unwrap();
    assert_eq!(report.outcome(Outcome::Timeout), 20);
    let unsent = records.iter().filter(|record| record.sent_ns.is_none()).count() as u64;
    assert_eq!(unsent, 19, "all time out together: {records:?}");
    assert_eq!(report.send_error.sends, 20 - unsent);
}

#[test]
fn a_refused_connection_is_an_error_at_the_beginning_and_an_outcome_later() {
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = Target::new(addr, "/".parse().unwrap());
    let error = load(&target, &closed(2), 10, LoadOptions::default()).unwrap_err();
    assert!(matches!(error, LoadError::Connect { .. }), "{error}");
    assert!(error.to_string().contains("is the server running"), "{error}");

    // The server accepts one connection and then stops listening.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target::new(listener.local_addr().unwrap(), "/".parse().unwrap());
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        drop(listener);
        let _ = stream.peek(&mut [0]);
    });
    for traffic in [closed(1), constant(200.0)] {
        let Ok((report, _)) = load(&target, &traffic, 10, LoadOptions::default()) else {
            continue;
        };
        assert_eq!(report.outcome(Outcome::Reset), 1, "{:?}", report.outcomes);
        assert_eq!(report.outcome(Outcome::Connect), 9, "{:?}", report.outcomes);
    }
}

#[test]
fn disconnected_requests_are_counted_separately_and_reach_the_server() {
    let server = Server::saying(HELLO, || Then::KeepOpen);
    let options = LoadOptions { disconnect: Share::new(0.25).unwrap(), ..LoadOptions::default() };
    for traffic in [closed(2), constant(2000.0)] {
        let before = server.requests();
        let (report, _) = load(&server.target(), &traffic, 400, options).unwrap();
        let left = report.outcome(Outcome::Disconnected);
        assert!((60..140).contains(&left), "{left} of 400 left");
        assert_eq!(report.outcome(Outcome::Ok), 400 - left);
        assert_eq!(report.failures(), 0);
        // The last of them may not have reached the server's thread yet.
        while server.requests() < before + 400 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_stopped_load_reports_its_requests_so_far() {
    let stop = Arc::new(AtomicBool::new(false));
    let stopper = stop.clone();
    let server = Server::start(move |got, stream| {
        match got.number {
            0..100 => stream.write_all(HELLO).unwrap(),
            _ => stopper.store(true, Ordering::SeqCst),
        }
        Then::KeepOpen
    });
    let options = LoadOptions { stop: Some(&stop), ..LoadOptions::default() };
    let (report, _) = load(&server.target(), &closed(2), 1_000_000, options).unwrap();
    assert!(report.stopped && !report.capped);
    // When one client sends the request that stops the load, the other may still wait for its
    // response.
    let (ok, cancelled) = (report.outcome(Outcome::Ok), report.outcome(Outcome::Cancelled));
    assert!((99..=100).contains(&ok) && (1..=2).contains(&cancelled), "{:?}", report.outcomes);
    assert!((101..=102).contains(&(ok + cancelled)), "{:?}", report.outcomes);
    assert_eq!(report.failures(), 0);
}
