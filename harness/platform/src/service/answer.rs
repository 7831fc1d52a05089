//! From what was seen around a request to its [`Answer`].

use std::time::Duration;

use bytes::Bytes;
use lumos_model::cell::Start;
use lumos_model::phase::{Phase, Phases};
use lumos_model::row::{Outcome, Sample, Times};
use lumos_model::wire::{Status, envelope};
use lumos_runtime::engine::Instance;
use lumos_runtime::sample::{self, Reading};

use super::instance::{Call, Slot};
use super::{Answer, Cause, Request};

/// The answer to a request that an instance has served. `queue` lasts until the call, so
/// it holds the wait for a thread too, but not the part of the instance's making that the
/// request waited for: that stands in its own phases.
pub(super) fn served<I: Instance>(
    request: &Request,
    start: Start,
    instance: u32,
    slot: &mut Slot<I>,
    call: Call,
    timeout: Duration,
) -> Answer {
    let Call { began_ns, ended_ns, mut phases, mut cpu_ns, linear_memory_bytes, result } = call;
    let waited_ns = began_ns.saturating_sub(request.intended_ns);
    let made = slot.provisioned.filter(|_| start.is_cold());
    let seen = made.map(|made| made.seen_from(request.intended_ns)).unwrap_or_default();
    for phase in Phase::ALL {
        phases.add(*phase, seen.get(*phase));
    }
    phases.add(Phase::Queue, waited_ns.saturating_sub(seen.total()));
    if let Some(made) = made {
        cpu_ns = made.cpu_ns.zip(cpu_ns).map(|(making_ns, serving_ns)| making_ns + serving_ns);
    }
    let reading = Reading {
        intended_ns: request.intended_ns,
        answered_ns: ended_ns,
        phases,
        spans: made.and_then(|made| made.spans),
        cpu_ns,
        linear_memory_bytes,
        memory_peak_bytes: None,
    };
    let result = result.as_ref().map(|()| slot.envelope());
    let status = result.ok().and_then(|bytes| Some(envelope::open(bytes).ok()?.status));
    let mut sample = sample::account(request.seq, start, reading, result);
    sample::reclassify_io_timeout(&mut sample, timeout);
    sample.instance = Some(instance);
    let cause = cause(&sample, status);
    let body = match (cause, sample.output_bytes) {
        (Cause::Answered, Some(bytes)) => slot.take_output(bytes as usize),
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
