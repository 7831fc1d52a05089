//! A function that is served by a pool of instances, whatever drives it: a gateway from
//! outside, or a driver inside of this process.

mod answer;
mod executor;
mod expected;
mod instance;
mod requests;
mod state;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use lumos_model::pool::PoolEvent;
use lumos_model::row::{Outcome, Sample};

use crate::pool::Standing;

pub use executor::Executor;
pub use instance::Home;

/// One request to a function.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the function gets.
    pub body: Bytes,
    /// When it was to arrive, nanoseconds of `CLOCK_MONOTONIC`: its deadline counts from here.
    pub intended_ns: u64,
    /// Its number; it stands in the sample.
    pub seq: u32,
}

/// Why a request has the answer that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The function answered.
    Answered,
    /// The function refused its input.
    BadRequest,
    /// The function failed by itself.
    FunctionFailed,
    /// The guest trapped or its process died.
    Trapped,
    /// The guest ran out of memory.
    OutOfMemory,
    /// The deadline passed, in the queue or in the guest.
    DeadlinePassed,
    /// No instance was free, no further one may be made, and the queue was full.
    QueueFull,
    /// The pool takes no more requests: it is being drained.
    Draining,
    /// No instance could be made.
    NoInstance,
    /// The client left before the answer.
    ClientLeft,
}

impl Cause {
    /// The word for it in metrics and in the body of an answer, such as `queue-full`.
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

    /// What it is in a row.
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

/// What came of a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Why it is this one.
    pub cause: Cause,
    /// Start kind, phases (with `queue`), times, CPU, instance. Its `error` is the message
    /// of any cause but [`Cause::Answered`]. Neither output nor hash stands in it.
    pub sample: Sample,
    /// The function's output; empty unless [`Cause::Answered`].
    pub body: Bytes,
}

/// An answer that is yet to come. To drop it before that is to leave: a request that waits
/// is taken out of the queue, one that runs ends by itself and counts as
/// [`Cause::ClientLeft`].
pub type Pending = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A function with its pool. Each request that is given to it has exactly one answer.
pub trait Service: Send + Sync + 'static {
    /// The function's name.
    fn name(&self) -> &str;

    /// Serves `request` on the calling thread, if an instance is idle and what the function
    /// took so far says that it is short enough for a thread that others wait for; gives
    /// the request back otherwise. The caller sees to it that another thread goes on with
    /// the event loop, should the function take longer this time.
    fn serve_here(&self, request: Request) -> Result<Answer, Request>;

    /// Serves `request` as soon as an instance is there for it.
    fn submit(self: Arc<Self>, request: Request) -> Pending;

    /// How the pool stands.
    fn standing(&self) -> Standing;

    /// Takes no further request; ends idle instances, and each busy one after its request.
    /// Ready when no instance is left.
    fn drain(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Ends all instances now; requests that wait or run are answered as
    /// [`Cause::Draining`].
    fn stop(&self);

    /// Changes of state since the last call, in order, and how many were not kept, since
    /// there were too many.
    fn take_events(&self) -> (Vec<PoolEvent>, u64);

    /// Counters of the cgroups of instances that ended, or of those that live, since the
    /// last call.
    fn take_counters(&self) -> Vec<lumos_model::counters::Counters>;
}
