//! The soak: `lumos serve` under mixed load with traps, timeouts, bursts and clients that leave,
//! for a few seconds, or for `LUMOS_SOAK_SECONDS` (scripts/soak.sh).
//!
//! # What must add up
//!
//! A request counts at the server from the moment at which its head was read. So of all that
//! clients begin:
//!
//! ```text
//! begun = told a cause + left without an answer + not heard
//! ```
//!
//! * *told*: a complete response came, and its status (or its body) names the cause;
//! * *left*: the client closed or half-closed the connection after a complete head, and no
//!   answer came;
//! * *not heard*: the head was never completed, or the server closed a connection that had
//!   been idle for too long just when a request was sent on it, or no connection was made.
//!
//! And for each function and each cause, exactly:
//!
//! ```text
//! lumos_requests_total{function, cause} = told(function, cause) + left(function, cause)
//! ```
//!
//! What is *not heard* stands on no side. Who *leaves* must know what the server took it for:
//!
//! * who leaves in the middle of its body is `client-left`, since no pool has seen it;
//! * who half-closes goes on reading. When the server has decided before it sees that, the
//!   answer arrives and the client was *told*. When the connection ends without an answer,
//!   the server has seen the client leave: `client-left`;
//! * who closes for good cannot know. A full queue may have refused it before, or a stalled
//!   machine may have seen the deadline before the end of the connection. Those clients alone
//!   use a second name of the function, `leavers`, which nobody else asks: there
//!   the sum over `client-left`, `queue-full` and `deadline-passed` is asserted, and the
//!   split is shown. Its guests spin for the whole time limit, so that no answer comes first.
//!
//! The same holds when the server is drained while it is loaded, with the counts of its last
//! words.

mod account;
mod by_hand;
mod mix;
mod peer;
mod soak;
mod watch;

use std::path::Path;

#[test]
fn native_in_processes() {
    soak::soak(("native", "process"));
}

#[test]
fn wasmtime_in_threads() {
    soak::soak(("wasmtime-aot", "thread"));
}

#[test]
fn wasmtime_in_reserved_memory() {
    soak::soak_reserved("wasmtime-aot");
}

#[test]
fn wasmtime_in_processes() {
    soak::soak(("wasmtime-aot", "process"));
}

/// Where its library is: not every machine can build this host.
#[test]
fn wasmedge_in_threads() {
    let host = Path::new(env!("CARGO_BIN_EXE_lumos")).with_file_name("lumos-host-wasmedge");
    if host.is_file() && soak::is_built("wasmedge-aot") {
        soak::soak(("wasmedge-aot", "thread"));
    } else {
        println!("wasmedge-aot in threads: not soaked, since it is not built here");
    }
}
