//! From the readings around one invocation to a [`Sample`].

use std::time::Duration;

use lumos_model::cell::Start;
use lumos_model::hex::hex;
use lumos_model::phase::{Phase, Phases};
use lumos_model::row::{Outcome, ProvisionSpans, Sample, Times};
use lumos_model::wire::Status;
use lumos_model::wire::envelope;
use sha2::{Digest, Sha256};

use crate::error::InvokeError;

/// The readings around one invocation.
#[derive(Debug)]
pub struct Reading {
    /// Intended arrival, nanoseconds of `CLOCK_MONOTONIC`.
    pub intended_ns: u64,
    /// When the response arrived or the failure was known.
    pub answered_ns: u64,
    /// Host phases.
    pub phases: Phases,
    /// Parts of `provision`.
    pub spans: Option<ProvisionSpans>,
    /// CPU time of the instance during the invocation.
    pub cpu_ns: Option<u64>,
    /// Linear memory after the invocation; zero if there is none.
    pub linear_memory_bytes: u64,
    /// Peak memory of its control group.
    pub memory_peak_bytes: Option<u64>,
}

/// How much of the function's output a sample keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Its hash.
    Hashed,
    /// Its hash and the output itself.
    Kept,
}

/// Turns a reading into a sample, with the hash of the output. Call it between invocations,
/// after the clock was read.
pub fn sample(
    seq: u32,
    start_kind: Start,
    reading: Reading,
    result: Result<&[u8], &InvokeError>,
    output: Output,
) -> Sample {
    let mut sample = account(seq, start_kind, reading, result);
    if let (Outcome::Ok, Ok(Ok(envelope))) = (sample.outcome, result.map(envelope::open)) {
        sample.output_sha256 = Some(hex(&Sha256::digest(envelope.body)));
        if output == Output::Kept {
            sample.output = Some(String::from_utf8_lossy(envelope.body).into_owned());
        }
    }
    sample
}

/// Turns a reading into a sample without hashing the output. It opens the envelope, adds the
/// guest's phases and sets `other`.
pub fn account(
    seq: u32,
    start_kind: Start,
    reading: Reading,
    result: Result<&[u8], &InvokeError>,
) -> Sample {
    let intended_ns = reading.intended_ns;
    let total_ns = reading.answered_ns.saturating_sub(intended_ns);
    let mut phases_ns = reading.phases;
    let mut sample = Sample {
        provision_spans: reading.spans,
        cpu_ns: reading.cpu_ns,
        memory_peak_bytes: reading.memory_peak_bytes,
        linear_memory_bytes: Some(reading.linear_memory_bytes).filter(|bytes| *bytes > 0),
        ..Sample::unserved(seq, start_kind, Outcome::Ok, Times { intended_ns, total_ns })
    };
    match result.map(envelope::open) {
        Ok(Ok(envelope)) => {
            phases_ns.add_guest(&envelope.phases);
            match envelope.status {
                Status::Ok => sample.output_bytes = Some(envelope.body.len() as u64),
                Status::Error | Status::BadRequest => {
                    let message = String::from_utf8_lossy(envelope.body).into_owned();
                    fail(&mut sample, Outcome::Error, message);
                }
            }
        }
        Ok(Err(error)) => fail(&mut sample, Outcome::Error, error.to_string()),
        Err(error) => fail(&mut sample, outcome(error), error.to_string()),
    }
    close(&mut sample, phases_ns);
    sample
}

const fn outcome(error: &InvokeError) -> Outcome {
    match error {
        InvokeError::Trap(_) => Outcome::Trap,
        InvokeError::OutOfMemory(_) => Outcome::OutOfMemory,
        InvokeError::Timeout(_) => Outcome::Timeout,
        InvokeError::Failed(_) => Outcome::Error,
    }
}

/// Sets `other`. Phases that exceed the total turn the sample into an error, because one of
/// the clocks cannot be trusted.
fn close(sample: &mut Sample, mut phases: Phases) {
    if let Err(excess_ns) = phases.close(sample.total_ns) {
        if sample.outcome == Outcome::Ok {
            let message = format!(
                "its phases add up to {excess_ns} ns more than its total: a clock of the guest \
                 or the host cannot be trusted"
            );
            fail(sample, Outcome::Error, message);
        }
        phases = Phases::default();
        phases.add(Phase::Other, sample.total_ns);
    }
    sample.phases_ns = phases;
}

fn fail(sample: &mut Sample, outcome: Outcome, message: String) {
    sample.outcome = outcome;
    sample.error = Some(message);
}

/// Turns a late error of the guest into a timeout: a guest that gives up waiting for its
/// socket at the deadline reports an error of its own.
pub fn reclassify_io_timeout(sample: &mut Sample, timeout: Duration) {
    let late = Duration::from_nanos(sample.total_ns) >= timeout;
    if sample.outcome == Outcome::Error && late {
        sample.outcome = Outcome::Timeout;
    }
}

/// Marks a served sample whose start is not the one that the cell asks for. Its row is
/// written but does not count.
pub fn reclassify_wrong_start(sample: &mut Sample, asked: Start) {
    if sample.start_kind != asked && sample.outcome == Outcome::Ok {
        let message = format!("a {asked} start was asked for, and it was {}", sample.start_kind);
        fail(sample, Outcome::WrongStart, message);
    }
}

#[cfg(test)]
mod tests {
    use lumos_model::wire::{GuestPhase, GuestPhases};

    use super::*;

    fn reading(total_ns: u64) -> Reading {
        let mut phases = Phases::default();
        phases.add(Phase::Instantiate, 30);
        Reading {
            intended_ns: 1_000,
            answered_ns: 1_000 + total_ns,
            phases,
            spans: None,
            cpu_ns: Some(9),
            linear_memory_bytes: 0,
            memory_peak_bytes: None,
        }
    }

    fn answer(status: Status) -> Vec<u8> {
        let mut guest = GuestPhases::default();
        guest.add(GuestPhase::Compute, 50);
        let mut answer = b"body".to_vec();
        envelope::seal(&mut answer, &guest, status);
        answer
    }

    #[test]
    fn the_phases_add_up_to_the_total() {
        let answer = answer(Status::Ok);
        let sample = sample(0, Start::ColdInstance, reading(100), Ok(&answer), Output::Hashed);
        assert_eq!(sample.outcome, Outcome::Ok);
        assert_eq!(sample.phases_ns.total(), sample.total_ns);
        assert_eq!(sample.phases_ns.get(Phase::Other), 20);
        assert_eq!(sample.output_bytes, Some(4));
        let expected = "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5";
        assert_eq!(sample.output_sha256.as_deref(), Some(expected));
    }

    #[test]
    fn phases_that_exceed_the_total_make_an_error() {
        let answer = answer(Status::Ok);
        let sample = sample(0, Start::Warm, reading(79), Ok(&answer), Output::Hashed);
        assert_eq!(sample.outcome, Outcome::Error);
        assert_eq!(sample.phases_ns.total(), 79);
    }

    #[test]
    fn a_failure_keeps_its_outcome_and_message() {
        let answer = answer(Status::Error);
        let failed = sample(0, Start::Warm, reading(100), Ok(&answer), Output::Hashed);
        assert_eq!((failed.outcome, failed.error.as_deref()), (Outcome::Error, Some("body")));
        let refusal = self::answer(Status::BadRequest);
        let failed = sample(0, Start::Warm, reading(100), Ok(&refusal), Output::Hashed);
        assert_eq!((failed.outcome, failed.error.as_deref()), (Outcome::Error, Some("body")));
        let trap = InvokeError::Trap("unreachable".into());
        let failed = sample(0, Start::Warm, reading(100), Err(&trap), Output::Hashed);
        assert_eq!((failed.outcome, failed.error.as_deref()), (Outcome::Trap, Some("unreachable")));
        let short = sample(0, Start::Warm, reading(100), Ok(b"hello"), Output::Hashed);
        assert_eq!(short.outcome, Outcome::Error);
    }

    #[test]
    fn a_late_error_of_the_guest_is_a_timeout() {
        let answer = answer(Status::Error);
        let mut late = sample(0, Start::Warm, reading(100), Ok(&answer), Output::Hashed);
        reclassify_io_timeout(&mut late, Duration::from_nanos(101));
        assert_eq!(late.outcome, Outcome::Error);
        reclassify_io_timeout(&mut late, Duration::from_nanos(100));
        assert_eq!(late.outcome, Outcome::Timeout);
    }

    #[test]
    fn a_wrong_start_is_marked_unless_the_sample_failed() {
        let answer = answer(Status::Ok);
        let mut asked = sample(0, Start::Warm, reading(100), Ok(&answer), Output::Hashed);
        reclassify_wrong_start(&mut asked, Start::Warm);
        assert_eq!(asked.outcome, Outcome::Ok);
        let mut cold = sample(0, Start::ColdInstance, reading(100), Ok(&answer), Output::Hashed);
        reclassify_wrong_start(&mut cold, Start::Warm);
        assert_eq!(cold.outcome, Outcome::WrongStart);
        let expected = "a warm start was asked for, and it was cold:instance";
        assert_eq!(cold.error.as_deref(), Some(expected));
        let trap = InvokeError::Trap("unreachable".into());
        let mut failed = sample(0, Start::ColdInstance, reading(100), Err(&trap), Output::Hashed);
        reclassify_wrong_start(&mut failed, Start::Warm);
        assert_eq!(failed.outcome, Outcome::Trap);
    }
}
