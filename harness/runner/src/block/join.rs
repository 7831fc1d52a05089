//! The client's and the gateway's record of each request, joined into one sample.

use std::collections::HashMap;

use lumos_load::http::{Outcome as ClientOutcome, Record};
use lumos_model::cell::Start;
use lumos_model::hex::hex;
use lumos_model::phase::{Phase, Phases};
use lumos_model::row::{Outcome, Sample, Times};
use lumos_model::telemetry::Agreement;

/// Joins the records of the client with the samples of the gateway by the requests' numbers.
/// `lost` is the number of samples that the gateway did not keep. Each request of the client
/// becomes one sample, in the order of the numbers.
pub(super) fn join(
    records: &[Record],
    samples: Vec<Sample>,
    lost: u64,
) -> (Vec<Sample>, Agreement) {
    let mut agreement = Agreement {
        client: records.len() as u64,
        server: samples.len() as u64,
        lost,
        ..Agreement::default()
    };
    let mut by_seq: HashMap<u64, Sample> = HashMap::with_capacity(samples.len());
    for sample in samples {
        // A second sample of the same request belongs to none of the client's.
        if by_seq.insert(u64::from(sample.seq), sample).is_some() {
            agreement.unknown_to_client += 1;
        }
    }
    let mut joined = Vec::with_capacity(records.len());
    for record in records {
        let server = by_seq.remove(&record.seq);
        let is_answered = record.outcome.is_answered();
        agreement.answered += u64::from(is_answered);
        agreement.both += u64::from(server.is_some());
        agreement.unknown_to_server += u64::from(is_answered && server.is_none());
        let is_ok = |sample: &Sample| sample.outcome == Outcome::Ok;
        if is_answered
            && let Some(server) = &server
            && is_ok(server) != (record.outcome == ClientOutcome::Ok)
        {
            agreement.contradicted += 1;
        }
        joined.push(match server {
            Some(server) if is_answered => answered(record, server),
            server => unanswered(record, server.as_ref()),
        });
    }
    agreement.unknown_to_client += by_seq.len() as u64;
    joined.sort_by_key(|sample| sample.seq);
    (joined, agreement)
}

/// A request with a complete response and a sample of the gateway.
///
/// The total is the client's, from the intended time to the last byte. The gateway's phases are
/// parts of it. `queue` also contains how late the request was sent, and the rest is `other`,
/// which contains the platform's part.
fn answered(record: &Record, server: Sample) -> Sample {
    let total_ns = record.ended_ns.saturating_sub(record.intended_ns);
    let sent_ns = record.sent_ns.unwrap_or(record.intended_ns);
    let late_ns = sent_ns.saturating_sub(record.intended_ns);
    let mut phases_ns = server.phases_ns;
    phases_ns.add(Phase::Queue, late_ns);
    let waited_ns = record.ended_ns.saturating_sub(sent_ns);
    let platform_ns = waited_ns.checked_sub(server.total_ns);
    let mut sample = Sample {
        total_ns,
        intended_ns: record.intended_ns,
        late_ns: Some(late_ns),
        platform_ns,
        output_bytes: Some(record.body_bytes),
        output_sha256: record.body_sha256.map(|hash| hex(&hash)),
        ..server
    };
    if sample.outcome != Outcome::Ok {
        (sample.output_bytes, sample.output_sha256) = (None, None);
    }
    if platform_ns.is_none() || phases_ns.close(total_ns).is_err() {
        // The parts are longer than the whole: none of these times can be right.
        sample.outcome = Outcome::Error;
        sample.error = Some(format!(
            "the gateway took {} ns for a request that the client waited {waited_ns} ns for",
            server.total_ns
        ));
        phases_ns = only_queued(late_ns, total_ns);
        sample.platform_ns = None;
    }
    sample.phases_ns = phases_ns;
    sample
}

/// A request without a complete response, or without a sample of the gateway.
fn unanswered(record: &Record, server: Option<&Sample>) -> Sample {
    let total_ns = record.ended_ns.saturating_sub(record.intended_ns);
    let late_ns = record.sent_ns.map(|sent| sent.saturating_sub(record.intended_ns));
    let (outcome, error) = ending(record);
    let error = match server.and_then(|server| server.error.as_deref()) {
        Some(said) => error.map(|error| format!("{error}; the gateway: {said}")),
        None => error,
    };
    let seq = u32::try_from(record.seq).unwrap_or(u32::MAX);
    let start_kind = server.map_or(Start::Mixed, |server| server.start_kind);
    let times = Times { intended_ns: record.intended_ns, total_ns };
    let is_ok = outcome == Outcome::Ok;
    Sample {
        error,
        phases_ns: only_queued(late_ns.unwrap_or(total_ns), total_ns),
        instance: server.and_then(|server| server.instance),
        late_ns,
        cpu_ns: server.and_then(|server| server.cpu_ns),
        output_bytes: is_ok.then_some(record.body_bytes),
        output_sha256: record.body_sha256.filter(|_| is_ok).map(|hash| hex(&hash)),
        ..Sample::unserved(seq, start_kind, outcome, times)
    }
}

/// The phases as far as the client knows them.
fn only_queued(late_ns: u64, total_ns: u64) -> Phases {
    let mut phases = Phases::default();
    phases.add(Phase::Queue, late_ns.min(total_ns));
    phases.add(Phase::Other, total_ns - late_ns.min(total_ns));
    phases
}

/// How a request ended, as far as the client knows.
fn ending(record: &Record) -> (Outcome, Option<String>) {
    let word = record.outcome.as_str();
    let (outcome, error) = match record.outcome {
        ClientOutcome::Ok => return (Outcome::Ok, None),
        ClientOutcome::Status => match record.status {
            Some(status @ (429 | 503)) => (Outcome::Rejected, format!("status {status}")),
            Some(504) => (Outcome::Timeout, "status 504".to_owned()),
            status => (Outcome::Error, format!("status {}", status.unwrap_or_default())),
        },
        ClientOutcome::Timeout => {
            (Outcome::Timeout, "no complete response before the deadline".to_owned())
        }
        ClientOutcome::Connect => (Outcome::Error, "no connection could be made".to_owned()),
        ClientOutcome::Disconnected | ClientOutcome::Cancelled => {
            (Outcome::Cancelled, format!("the client left: {word}"))
        }
        ClientOutcome::Reset | ClientOutcome::Closed | ClientOutcome::Malformed => {
            (Outcome::Error, format!("no complete response: {word}"))
        }
    };
    (outcome, Some(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(seq: u64, times: [u64; 3], outcome: ClientOutcome) -> Record {
        let [intended_ns, sent_ns, ended_ns] = times;
        Record {
            seq,
            intended_ns,
            sent_ns: Some(sent_ns),
            ended_ns,
            outcome,
            status: outcome.is_answered().then_some(if outcome == ClientOutcome::Ok {
                200
            } else {
                502
            }),
            body_bytes: 3,
            body_sha256: outcome.is_answered().then_some([0xab; 32]),
        }
    }

    fn sample(seq: u32, total_ns: u64, phases: &[(Phase, u64)], outcome: Outcome) -> Sample {
        let mut phases_ns = Phases::default();
        phases.iter().for_each(|(phase, ns)| phases_ns.add(*phase, *ns));
        phases_ns.close(total_ns).unwrap();
        let base = record(u64::from(seq), [0, 0, 0], ClientOutcome::Cancelled);
        Sample {
            outcome,
            total_ns,
            phases_ns,
            intended_ns: 5_555,
            start_kind: Start::ColdProcess,
            instance: Some(2),
            cpu_ns: Some(42),
            error: (outcome != Outcome::Ok).then(|| "trap: unreachable".to_owned()),
            ..unanswered(&base, None)
        }
    }

    #[test]
    fn phases_add_up_to_what_the_client_waited() {
        // Sent 100 late. The client waited 1,000, of which the gateway took 700, 200 in its queue.
        let client = record(7, [10_000, 10_100, 11_100], ClientOutcome::Ok);
        let phases = [(Phase::Queue, 200), (Phase::Provision, 150), (Phase::Compute, 340)];
        let server = sample(7, 700, &phases, Outcome::Ok);
        assert_eq!(server.phases_ns.get(Phase::Other), 10);
        let (rows, agreement) = join(&[client], vec![server], 0);
        let row = &rows[0];
        assert_eq!((row.seq, row.intended_ns, row.total_ns), (7, 10_000, 1_100));
        assert_eq!((row.late_ns, row.platform_ns), (Some(100), Some(300)));
        assert_eq!(row.phases_ns.get(Phase::Queue), 300);
        assert_eq!(row.phases_ns.get(Phase::Provision), 150);
        assert_eq!(row.phases_ns.get(Phase::Compute), 340);
        assert_eq!(row.phases_ns.get(Phase::Other), 10 + 300);
        assert_eq!(row.phases_ns.total(), row.total_ns);
        assert_eq!((row.start_kind, row.instance), (Start::ColdProcess, Some(2)));
        assert_eq!((row.outcome, row.output_bytes), (Outcome::Ok, Some(3)));
        assert_eq!(row.output_sha256.as_deref(), Some("ab".repeat(32).as_str()));
        let expected =
            Agreement { client: 1, answered: 1, server: 1, both: 1, ..Agreement::default() };
        assert_eq!((agreement.fault(), agreement), (None, expected));
    }

    #[test]
    fn a_request_that_did_not_reach_the_gateway_is_a_row() {
        let never =
            Record { sent_ns: None, ..record(0, [1_000, 0, 61_000], ClientOutcome::Connect) };
        let late = record(1, [2_000, 2_500, 62_000], ClientOutcome::Timeout);
        let (rows, agreement) = join(&[late, never], vec![], 0);
        assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [0, 1]);
        assert_eq!((rows[0].outcome, rows[0].late_ns), (Outcome::Error, None));
        assert_eq!(rows[0].phases_ns.get(Phase::Queue), 60_000);
        assert_eq!((rows[1].outcome, rows[1].late_ns), (Outcome::Timeout, Some(500)));
        assert_eq!(rows[1].phases_ns.get(Phase::Queue), 500);
        for row in &rows {
            assert_eq!(row.phases_ns.total(), row.total_ns);
            assert!(row.platform_ns.is_none() && row.output_sha256.is_none());
            assert_eq!(row.start_kind, Start::Mixed);
        }
        assert_eq!((agreement.client, agreement.server, agreement.fault()), (2, 0, None));
    }

    #[test]
    fn a_failure_has_the_outcome_and_error_of_the_gateway() {
        let client = record(3, [0, 0, 900], ClientOutcome::Status);
        let (rows, agreement) = join(&[client], vec![sample(3, 800, &[], Outcome::Trap)], 0);
        assert_eq!((rows[0].outcome, rows[0].platform_ns), (Outcome::Trap, Some(100)));
        assert_eq!(rows[0].error.as_deref(), Some("trap: unreachable"));
        assert_eq!((&rows[0].output_sha256, rows[0].output_bytes), (&None, None));
        assert_eq!(agreement.fault(), None);

        // When the client gave up first its outcome counts, and the gateway's error is kept.
        let gone = record(4, [0, 0, 500], ClientOutcome::Timeout);
        let (rows, agreement) = join(&[gone], vec![sample(4, 800, &[], Outcome::Cancelled)], 0);
        assert_eq!((rows[0].outcome, rows[0].total_ns), (Outcome::Timeout, 500));
        assert!(rows[0].error.as_deref().unwrap().ends_with("; the gateway: trap: unreachable"));
        assert_eq!(agreement.fault(), None);
    }

    #[test]
    fn disagreements_are_counted() {
        let ok = |seq| record(seq, [0, 0, 900], ClientOutcome::Ok);
        let of = |seq, outcome| sample(seq, 100, &[], outcome);
        let (_, agreement) = join(&[ok(0)], vec![], 0);
        assert_eq!((agreement.unknown_to_server, agreement.both), (1, 0));
        let (_, agreement) = join(&[ok(0)], vec![of(0, Outcome::Ok), of(0, Outcome::Ok)], 0);
        assert_eq!(agreement.unknown_to_client, 1);
        let (_, agreement) = join(&[ok(0)], vec![of(0, Outcome::Ok), of(9, Outcome::Ok)], 4);
        assert_eq!((agreement.unknown_to_client, agreement.lost), (1, 4));
        assert_eq!(
            agreement.fault().unwrap(),
            "the records of client (1 requests) and gateway (2) do not match: 1 unknown to the \
             client, 4 dropped from the gateway's record"
        );
        let (_, agreement) = join(&[ok(0)], vec![of(0, Outcome::Trap)], 0);
        assert_eq!(agreement.contradicted, 1);
    }

    #[test]
    fn phases_longer_than_the_total_are_an_error() {
        let client = record(0, [0, 100, 600], ClientOutcome::Ok);
        let server = sample(0, 501, &[(Phase::Compute, 500)], Outcome::Ok);
        let (rows, _) = join(&[client], vec![server], 0);
        assert_eq!((rows[0].outcome, rows[0].platform_ns), (Outcome::Error, None));
        assert_eq!(rows[0].phases_ns.total(), 600);
        let error = "the gateway took 501 ns for a request that the client waited 500 ns for";
        assert_eq!(rows[0].error.as_deref(), Some(error));
    }
}
