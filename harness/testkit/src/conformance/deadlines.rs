//! A guest is stopped at its time limit, whatever it does.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use lumos_model::protocol::Prepare;
use lumos_model::row::Outcome;
use lumos_model::wire::IO_TIMEOUT_MS;

use super::requests;
use super::subject::{Subject, assert_ended};

/// How late a guest may be stopped. The bound is generous, so that the test passes on a busy
/// machine.
const TOLERANCE: Duration = Duration::from_secs(2);

/// A guest that never stops computing is stopped.
pub fn spinning_guest(subject: &Subject) {
    times_out(subject, subject.prepare_timed(), &requests::spin());
}

/// A guest that waits for a socket is stopped, or gives up by itself.
pub fn blocked_guest(subject: &Subject) {
    let mut prepare = subject.prepare_timed();
    // As `lumos` sets it for a run.
    let timeout_ms = prepare.limits.timeout.0.as_millis();
    prepare.limits.timeout.0 = Duration::from_millis(timeout_ms as u64);
    prepare.env.insert(IO_TIMEOUT_MS.to_owned(), timeout_ms.to_string());
    times_out(subject, prepare, &requests::block(silent_peer()));
}

fn times_out(subject: &Subject, prepare: Prepare, request: &str) {
    let limit = prepare.limits.timeout.0;
    let mut cell = subject.cell(prepare, None);
    let sample = cell.ask(request);
    assert_ended(&sample, Outcome::Timeout, &["time", "deadline", "no answer"]);
    let total = Duration::from_nanos(sample.total_ns);
    assert!(total >= limit, "stopped after {total:?}, before its limit of {limit:?}");
    assert!(
        total < limit + TOLERANCE,
        "stopped after {total:?}, long after its limit of {limit:?}"
    );
    // Whether the instance survives depends on how it was stopped.
    cell.serves();
    cell.serves_warm();
}

/// A server that accepts connections and never answers. Its thread ends with the process.
fn silent_peer() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        let streams: Vec<_> = listener.incoming().flatten().collect();
        drop(streams);
    });
    address
}
