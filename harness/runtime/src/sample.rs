//! From two clock reads to a [`Sample`].

use std::time::Duration;

use lumos_model::cell::Start;
use lumos_model::hex::hex;
use lumos_model::phase::{Phase, Phases};
use lumos_model::row::{Outcome, ProvisionSpans, Sample, Times};
use lumos_model::wire::Status;
use lumos_model::wire::envelope;
use sha2::{Digest, Sha256};

use crate::error::InvokeError;

/// What was read around one invocation.
#[derive(Debug)]
pub struct Reading {
    /// Intended arrival, nanoseconds of `CLOCK_MONOTONIC`.
    pub intended_ns: u64,
    /// When the response was there, or the failure known.
    pub answered_ns: u64,
    /// Host phases.
    pub phases: Phases,
    /// Parts of `provision`.
    pub spans: Option<ProvisionSpans>,
    /// CPU time of the instance during the invocation.
    pub cpu_ns: Option<u64>,
    /// Linear memory after it; zero: none.
    pub linear_memory_bytes: u64,
    /// Peak of its cgroup.
    pub memory_peak_bytes: Option<u64>,
}

/// Turns a reading into a sample, with the hash of the output. Runs between samples, never
/// inside one.
pub fn sample(
    seq: u32,
    start_kind: Start,
    reading: Reading,
    result: Result<&[u8], &InvokeError>,
    keep_output: bool,
) -> Sample {
    let mut sample = account(seq, start_kind, reading, result);
    if let (Outcome::Ok, Ok(Ok(envelope))) = (sample.outcome, result.map(envelope::open)) {
        sample.output_sha256 = Some(hex(&Sha256::digest(envelope.body)));
        if keep_output {
            sample.output = Some(String::from_utf8_lossy(envelope.body).into_owned());
        }
    }
    sample
}

/// Turns a reading into a sample: opens the envelope, adds the guest's phases, closes the
/// sum with `other`. The output is not looked at.
pub fn account(
    seq: u32,
    start_kind: Start,
    reading: Reading,
    result: Result<&[u8], &InvokeError>,
) -> Sample {
    let total_ns = reading.answered_ns.saturating_sub(reading.intended_ns);
    let mut phases_ns = reading.phases;
    let mut sample = Sample {
        provision_spans: reading.spans,
        cpu_ns: reading.cpu_ns,
        memory_peak_bytes: reading.memory_peak_bytes,
        linear_memory_bytes: Some(reading.linear_memory_bytes).filter(|bytes| *bytes > 0),
        ..Sample::unserved(
            seq,
            start_kind,
            Outcome::Ok,
            Times { intended_ns: reading.intended_ns, total_ns },
        )
    };
    match result.map(envelope::open) {
        Ok(Ok(envelope)) => {
            phases_ns.add_guest(&envelope.phases);
            match envelope.status {
                Status::Ok => {
                    sample.output_bytes = Some(envelope.body.len() as u64);
                }
                Status::Error | Status::BadRequest => fail(
                    &mut sample,
                    Outcome::Error,
                    String::from_utf8_lossy(envelope.body).into_owned(),
                ),
            }
        }
        Ok(Err(error)) => fail(&mut sample, Outcome::Error, error.to_string()),
        Err(error) => {
            let outcome = match error {
                InvokeError::Trap(_) => Outcome::Trap,
                InvokeError::OutOfMemory(_) => Outcome::OutOfMemory,
                InvokeError::Timeout(_) => Outcome::Timeout,
                InvokeError::Failed(_) => Outcome::Error,
            };
            fail(&mut sample, outcome, error.to_string());
        }
    }
    close(&mut sample, phases_ns);
    sample
}

/// Sets `other`; phases that exceed the total make the sample an error, since then a
/// clock cannot be trusted.
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

/// A guest that gave up waiting for its socket at the deadline reports an error of its
/// own; what happened is a timeout.
pub fn reclassify_io_timeout(sample: &mut Sample, timeout: Duration) {
    let late = Duration::from_nanos(sample.total_ns) >= timeout;
    if sample.outcome == Outcome::Error && late {
        sample.outcome = Outcome::Timeout;
    }
}

/// A sample whose start was another one than the cell asks for is a row, and does not
/// count.
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
    fn phases_add_up_to_the_total() {
        let answer = answer(Status::Ok);
        let sample = sample(0, Start::ColdInstance, reading(100), Ok(&answer), false);
        assert_eq!(sample.outcome, Outcome::Ok);
        assert_eq!(sample.phases_ns.total(), sample.total_ns);
        assert_eq!(sample.phases_ns.get(Phase::Other), 20);
        assert_eq!(sample.output_bytes, Some(4));
        let expected = "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5";
        assert_eq!(sample.output_sha256.as_deref(), Some(expected));
    }

    #[test]
    fn phases_beyond_the_total_are_no_result() {
        let answer = answer(Status::Ok);
        let sample = sample(0, Start::Warm, reading(79), Ok(&answer), false);
        assert_eq!(sample.outcome, Outcome::Error);
        assert_eq!(sample.phases_ns.total(), 79);
    }

    #[test]
    fn what_went_wrong_is_told() {
        let answer = answer(Status::Error);
        let failed = sample(0, Start::Warm, reading(100), Ok(&answer), false);
        assert_eq!((failed.outcome, failed.error.as_deref()), (Outcome::Error, Some("body")));
        let refusal = self::answer(Status::BadRequest);
        let failed = sample(0, Start::Warm, reading(100), Ok(&refusal), false);
        assert_eq!((failed.outcome, failed.error.as_deref()), (Outcome::Error, Some("body")));
        let trap = InvokeError::Trap("unreachable".into());
        let failed = sample(0, Start::Warm, reading(100), Err(&trap), false);
        assert_eq!((failed.outcome, failed.error.as_deref()), (Outcome::Trap, Some("unreachable")));
        let short = sample(0, Start::Warm, reading(100), Ok(b"hello"), false);
        assert_eq!(short.outcome, Outcome::Error);
    }

    #[test]
    fn a_late_error_of_the_guest_is_a_timeout() {
        let answer = answer(Status::Error);
        let mut late = sample(0, Start::Warm, reading(100), Ok(&answer), false);
        reclassify_io_timeout(&mut late, Duration::from_nanos(101));
        assert_eq!(late.outcome, Outcome::Error);
        reclassify_io_timeout(&mut late, Duration::from_nanos(100));
        assert_eq!(late.outcome, Outcome::Timeout);
    }

    #[test]
    fn a_start_that_nobody_asked_for_is_told_and_a_failure_stays_what_it_is() {
        let answer = answer(Status::Ok);
        let mut asked = sample(0, Start::Warm, reading(100), Ok(&answer), false);
        reclassify_wrong_start(&mut asked, Start::Warm);
        assert_eq!(asked.outcome, Outcome::Ok);
        let mut cold = sample(0, Start::ColdInstance, reading(100), Ok(&answer), false);
        reclassify_wrong_start(&mut cold, Start::Warm);
        assert_eq!(cold.outcome, Outcome::WrongStart);
        let expected = "a warm start was asked for, and it was cold:instance";
        assert_eq!(cold.error.as_deref(), Some(expected));
        let trap = InvokeError::Trap("unreachable".into());
        let mut failed = sample(0, Start::ColdInstance, reading(100), Err(&trap), false);
        reclassify_wrong_start(&mut failed, Start::Warm);
        assert_eq!(failed.outcome, Outcome::Trap);
    }
}
