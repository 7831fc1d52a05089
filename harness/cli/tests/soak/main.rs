//! The soak test: `lumos serve` under mixed load with traps, timeouts, bursts and clients that
//! leave, for a few seconds or for `LUMOS_SOAK_SECONDS` (scripts/soak.sh).
//!
//! # What must add up
//!
//! The server counts a request once it has read the head. So for the requests that clients
//! begin:
//!
//! ```text
//! begun = answered + abandoned + unseen
//! ```
//!
//! * *answered*: the client received a complete response whose status or body names the cause.
//! * *abandoned*: the client closed or half-closed the connection after a complete head, and
//!   received no response.
//! * *unseen*: the head was never complete, or the request was sent while the server closed a
//!   connection that had idled too long, or no connection was made.
//!
//! And for each function and each cause, exactly:
//!
//! ```text
//! lumos_requests_total{function, cause} = answered(function, cause) + abandoned(function, cause)
//! ```
//!
//! The server does not count *unseen* requests. For an *abandoned* request, the test must know
//! the cause that the server counts:
//!
//! * A client that leaves in the middle of its body counts as `client-left`, because no pool
//!   has seen the request.
//! * A client that half-closes continues to read. If the server decides before it sees the
//!   half-close, the request is *answered*. If the connection ends without a response, the
//!   server has seen the client leave: `client-left`.
//! * A client that closes cannot know the cause. A full queue may have refused the request
//!   before, or a stalled machine may have seen the deadline before the end of the connection.
//!   Only these clients call the function under a second name, `leavers`. For that name the
//!   test asserts the sum of `client-left`, `queue-full` and `deadline-passed`, and prints the
//!   split. Its guests spin for the whole time limit, so that no response comes first.
//!
//! The same must hold for the counts that the server prints after it was drained under load.

mod account;
mod mix;
mod raw_client;
mod resources;
mod silent_peer;
mod soak;

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

/// Skipped on machines where this host is not built.
#[test]
fn wasmedge_in_threads() {
    let host = Path::new(env!("CARGO_BIN_EXE_lumos")).with_file_name("lumos-host-wasmedge");
    if host.is_file() && soak::is_built("wasmedge-aot") {
        soak::soak(("wasmedge-aot", "thread"));
    } else {
        println!("wasmedge-aot in threads: skipped, because it is not built here");
    }
}
