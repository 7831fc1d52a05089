//! From the readings around a request to its [`Answer`].

use std::time::Duration;

use bytes::Bytes;
use lumos_model::cell::Start;
use lumos_model::phase::{Phase, Phases};
use lumos_model::row::{Outcome, Sample, Times};
use lumos_model::wire::{Status, envelope};
use lumos_runtime::sample::{self, Reading};

use super::pooled_instance::PooledInstance;
use super::provider::{Invocation, PoolInstance};
use super::request::{Answer, Cause, Request};

/// The answer to a request that instance `number` has served.
///
/// The phase `queue` lasts until the invocation began, so it includes the wait for a thread.
/// It excludes the part of the instance's creation that the request waited for, which has
/// phases of its own.
pub(super) fn served<I: PoolInstance>(
    request: &Request,
    start: Start,
    number: u32,
    instance: &mut PooledInstance<I>,
    invocation: Invocation,
    timeout: Duration,
) -> Answer {
    let Invocation { began_ns, ended_ns, mut phases, mut cpu_ns, linear_memory_bytes, result } =
        invocation;
    let waited_ns = began_ns.saturating_sub(request.intended_ns);
    let created = instance.provisioned.filter(|_| start.is_cold());
    let seen = created.map(|created| created.since(request.intended_ns)).unwrap_or_default();
    for phase in Phase::ALL {
        phases.add(*phase, seen.get(*phase));
    }
    phases.add(Phase::Queue, waited_ns.saturating_sub(seen.total()));
    if let Some(created) = created {
        cpu_ns =
            created.cpu_ns.zip(cpu_ns).map(|(creating_ns, serving_ns)| creating_ns + serving_ns);
    }
    let reading = Reading {
        intended_ns: request.intended_ns,
        answered_ns: ended_ns,
        phases,
        spans: created.and_then(|created| created.spans),
        cpu_ns,
        linear_memory_bytes,
        memory_peak_bytes: None,
    };
    let result = result.as_ref().map(|()| instance.envelope());
    let status = result.ok().and_then(|bytes| Some(envelope::open(bytes).ok()?.status));
    let mut sample = sample::account(request.seq, start, reading, result);
    sample::reclassify_io_timeout(&mut sample, timeout);
    sample.instance = Some(number);
    let cause = cause(&sample, status);
    let body = match (cause, sample.output_bytes) {
        (Cause::Answered, Some(bytes)) => instance.take_output(bytes as usize),
        _ => Bytes::new(),
    };
    Answer { cause, sample, body }
}

fn cause(sample: &Sample, status: Option<Status>) -> Cause {
    match (sample.outcome, status) {
        (Outcome::Ok, _) => Cause::Answered,
        (Outcome::Trap, _) => Cause::Trapped,
        (Outcome::OutOfMemory, _) => Cause::OutOfMemory,
        (Outcome::Timeout, _) => Cause::DeadlinePassed,
        (_, Some(Status::BadRequest)) => Cause::BadRequest,
        _ => Cause::FunctionFailed,
    }
}

/// The answer to a request that no instance has served.
pub(super) fn refused(request: &Request, cause: Cause, message: String, now_ns: u64) -> Answer {
    let total_ns = now_ns.saturating_sub(request.intended_ns);
    let mut phases_ns = Phases::default();
    phases_ns.add(Phase::Queue, total_ns);
    let times = Times { intended_ns: request.intended_ns, total_ns };
    let sample = Sample {
        error: Some(message),
        phases_ns,
        ..Sample::unserved(request.seq, Start::Mixed, cause.outcome(), times)
    };
    Answer { cause, sample, body: Bytes::new() }
}
