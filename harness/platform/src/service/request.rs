//! A request to a function and its answer.

use bytes::Bytes;
use lumos_model::row::{Outcome, Sample};

/// One request to a function.
#[derive(Clone, Debug)]
pub struct Request {
    /// The function's input.
    pub body: Bytes,
    /// Intended arrival, nanoseconds of `CLOCK_MONOTONIC`. The deadline counts from here.
    pub intended_ns: u64,
    /// The number of its sample.
    pub seq: u32,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Why the answer is this one.
    pub cause: Cause,
    /// Start kind, phases (with `queue`), times, CPU time and instance. Its `error` is the
    /// message of any cause but [`Cause::Answered`]. It holds neither the output nor its hash.
    pub sample: Sample,
    /// The function's output; empty unless [`Cause::Answered`].
    pub body: Bytes,
}

/// Why a request has the answer that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The function answered.
    Answered,
    /// The function refused its input.
    BadRequest,
    /// The function reported an error.
    FunctionFailed,
    /// The guest trapped or its process died.
    Trapped,
    /// The guest ran out of memory.
    OutOfMemory,
    /// The deadline passed, in the queue or in the guest.
    DeadlinePassed,
    /// No instance was idle, no further one was allowed, and the queue was full.
    QueueFull,
    /// The pool is being drained and accepts no more requests.
    Draining,
    /// No instance could be created.
    NoInstance,
    /// The client left before the answer.
    ClientLeft,
}

impl Cause {
    /// Its name in metrics and in the body of an error response, such as `queue-full`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Cause::Answered => "answered",
            Cause::BadRequest => "bad-request",
            Cause::FunctionFailed => "function-failed",
            Cause::Trapped => "trapped",
            Cause::OutOfMemory => "out-of-memory",
            Cause::DeadlinePassed => "deadline-passed",
            Cause::QueueFull => "queue-full",
            Cause::Draining => "draining",
            Cause::NoInstance => "no-instance",
            Cause::ClientLeft => "client-left",
        }
    }

    /// The outcome of its row.
    pub const fn outcome(self) -> Outcome {
        match self {
            Cause::Answered => Outcome::Ok,
            Cause::BadRequest | Cause::FunctionFailed | Cause::NoInstance => Outcome::Error,
            Cause::Trapped => Outcome::Trap,
            Cause::OutOfMemory => Outcome::OutOfMemory,
            Cause::DeadlinePassed => Outcome::Timeout,
            Cause::QueueFull | Cause::Draining => Outcome::Rejected,
            Cause::ClientLeft => Outcome::Cancelled,
        }
    }
}
