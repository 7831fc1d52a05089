//! A guest does not outlive its time limit, whatever it is doing.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use lumos_model::protocol::Prepare;
use lumos_model::row::Outcome;
use lumos_model::wire::IO_TIMEOUT_MS;
use lumos_runtime::engine::Runtime;

use super::requests;
use super::subject::{Subject, assert_ended};

/// How late a guest may be stopped. Far more than any needs, so that a busy machine does
/// not fail the test.
const GRACE: Duration = Duration::from_secs(2);

/// A guest that computes for ever is stopped.
pub fn spinning_guest<R: Runtime>(subject: &Subject<R>) {
    times_out(subject, subject.prepare_timed(), &requests::spin());
}

/// A guest that waits for a socket is stopped, or stops itself.
pub fn blocked_guest<R: Runtime>(subject: &Subject<R>) {
    let mut prepare = subject.prepare_timed();
    // As the sessions of `lumos` set it.
    let timeout_ms = prepare.limits.timeout.0.as_millis();
    prepare.limits.timeout.0 = Duration::from_millis(timeout_ms as u64);
    prepare.env.insert(IO_TIMEOUT_MS.to_owned(), timeout_ms.to_string());
    times_out(subject, prepare, &requests::block(silent_peer()));
}

fn times_out<R: Runtime>(subject: &Subject<R>, prepare: Prepare, request: &str) {
    let limit = prepare.limits.timeout.0;
    let mut cell = subject.cell(prepare, None);
    let sample = cell.ask(request);
    assert_ended(&sample, Outcome::Timeout, &["time", "deadline", "no answer"]);
    let total = Duration::from_nanos(sample.total_ns);
    assert!(total >= limit, "stopped after {total:?}, before its limit of {limit:?}");
    assert!(total < limit + GRACE, "stopped after {total:?}, long after its limit of {limit:?}");
    // Whether the instance lives on depends on how it was stopped.
    cell.serves();
    cell.serves_warm();
}

/// Somebody who accepts and never speaks. The thread ends with the process.
fn silent_peer() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        let streams: Vec<_> = listener.incoming().flatten().collect();
        drop(streams);
    });
    address
}
