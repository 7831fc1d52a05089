//! When requests are sent, and when their latency begins.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lumos_load::http::{LoadOptions, Outcome};
use lumos_model::arrival::{Arrival, Delayed, Share, Traffic};
use lumos_model::units::Span;

use super::server::{HELLO, Server, Then, closed, constant, load};

#[test]
fn intended_times_follow_the_traffic() {
    let server = Server::saying(HELLO, || Then::KeepOpen);
    let (report, records) =
        load(&server.target(), &constant(1000.0), 100, LoadOptions::default()).unwrap();
    for record in &records {
        assert_eq!(record.intended_ns - report.begin_ns, record.seq * 1_000_000);
    }
    assert_eq!(report.outcome(Outcome::Ok), 100);
}

#[test]
fn waiting_for_a_connection_is_part_of_the_latency() {
    let slow = Duration::from_millis(10);
    let server = Server::start(move |_, stream| {
        std::thread::sleep(slow);
        stream.write_all(HELLO).unwrap();
        Then::KeepOpen
    });
    let options = LoadOptions { connections: 2, ..LoadOptions::default() };
    let (report, records) = load(&server.target(), &constant(1000.0), 60, options).unwrap();
    assert_eq!(report.outcome(Outcome::Ok), 60);
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
    // Two connections serve 60 requests in 300 ms at least; the last came after 59 ms.
    let last = records.iter().map(|record| record.ended_ns - record.intended_ns).max();
    assert!(last.unwrap() >= 241_000_000, "{last:?}");
    let waited: u64 = records.iter().map(|r| r.sent_ns.unwrap() - r.intended_ns).sum();
    assert!(waited > 0 && report.send_error.late > 40, "{:?}", report.send_error);
    assert!(report.late_for_connection > 40, "{}", report.late_for_connection);
    assert!(report.latency.mean() > report.service.mean() * 2.0);
}

#[test]
fn nothing_is_sent_without_arrivals() {
    let server = Server::saying(HELLO, || Then::KeepOpen);
    let (report, _) = load(&server.target(), &closed(1), 0, LoadOptions::default()).unwrap();
    assert_eq!((report.requests, server.requests()), (0, 0));
}

#[test]
fn a_closed_loop_pauses_for_its_gaps() {
    let server = Server::saying(HELLO, || Then::KeepOpen);
    let gap = Duration::from_millis(20);
    let delayed = Some(Delayed { share: Share::new(1.0).unwrap(), gap: Span(gap) });
    let traffic = Traffic { arrival: Arrival::Closed { concurrency: 1 }, delayed };
    let (_, records) = load(&server.target(), &traffic, 5, LoadOptions::default()).unwrap();
    for pair in records.windows(2) {
        assert_eq!(pair[1].intended_ns - pair[0].ended_ns, gap.as_nanos() as u64);
    }
}
