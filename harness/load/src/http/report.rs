//! What came of all requests together.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::record::{Outcome, Record};
use crate::clock::SECOND;
use crate::pacer::{LATE, Lateness, SendError};

/// What came of a load.
#[derive(Clone, Debug)]
pub struct Report {
    /// From here intended times count, in nanoseconds of `CLOCK_MONOTONIC`.
    pub begin_ns: u64,
    /// The last outcome, or the end of the duration if that is later.
    pub end_ns: u64,
    /// Requests, each of which has one of the [outcomes](Self::outcomes).
    pub requests: u64,
    /// How many requests ended how; without those that are zero.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// How many responses had which status.
    pub statuses: BTreeMap<u16, u64>,
    /// What broke or refused connections and what was wrong with responses, in words.
    pub errors: BTreeMap<String, u64>,
    /// Of all responses, from the intended time to the last byte, in nanoseconds. A response
    /// that waited for a connection or for a stopped server counts with that wait, so there
    /// is no coordinated omission (Tene, *How NOT to Measure Latency*, 2013).
    pub latency: Histogram<u64>,
    /// Of all responses, from the actual sending to the last byte, in nanoseconds.
    pub service: Histogram<u64>,
    /// How exactly the intended times were kept. In a closed loop nothing can be late but
    /// what waits for a connection.
    pub send_error: SendError,
    /// Late sends that had waited for a connection: all were in use, or one was being made.
    pub late_for_connection: u64,
    /// Whether the sender went before other threads ([`raise_priority`]). Never in a closed loop.
    ///
    /// [`raise_priority`]: lumos_os::priority::raise_priority
    pub raised_priority: bool,
    /// Bytes that were read.
    pub bytes_read: u64,
    /// Connections that were made.
    pub connections: u64,
    /// Whether the number of requests, and not the duration, ended it.
    pub capped: bool,
    /// Whether it was stopped.
    pub stopped: bool,
}

impl Report {
    /// How long it took.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.end_ns - self.begin_ns)
    }

    /// Requests that ended so.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    /// Complete responses, whatever their status.
    pub fn answered(&self) -> u64 {
        self.latency.len()
    }

    /// Requests that did not get what they asked for.
    pub fn failures(&self) -> u64 {
        self.outcomes.iter().filter(|(o, _)| o.is_failure()).map(|(_, count)| count).sum()
    }

    /// Complete responses a second.
    pub fn rate(&self) -> f64 {
        self.answered() as f64 / self.elapsed().as_secs_f64().max(1e-9)
    }
}

/// Collects outcomes. Nothing is allocated for a request that is answered.
pub(super) struct Tally<'a> {
    outcomes: [u64; Outcome::ALL.len()],
    statuses: Vec<u64>,
    errors: BTreeMap<String, u64>,
    latency: Histogram<u64>,
    service: Histogram<u64>,
    lateness: Lateness,
    late_for_connection: u64,
    last_ns: u64,
    pub(super) bytes_read: u64,
    pub(super) connections: u64,
    on_record: &'a mut dyn FnMut(&Record),
}

/// Longest latency that is told apart from longer ones: an hour.
const LONGEST_NS: u64 = 3600 * SECOND;

impl<'a> Tally<'a> {
    pub(super) fn new(on_record: &'a mut dyn FnMut(&Record)) -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_NS, 3).expect("valid bounds");
        Self {
            outcomes: [0; Outcome::ALL.len()],
            statuses: vec![0; 1000],
            errors: BTreeMap::new(),
            latency: histogram.clone(),
            service: histogram,
            lateness: Lateness::new(),
            late_for_connection: 0,
            last_ns: 0,
            bytes_read: 0,
            connections: 0,
            on_record,
        }
    }

    /// A request was sent so much after its time.
    pub(super) fn sent(&mut self, late_ns: u64) {
        self.lateness.record(late_ns);
    }

    /// The same, of a request that had to wait for a connection.
    pub(super) fn sent_after_waiting(&mut self, late_ns: u64) {
        self.sent(late_ns);
        self.late_for_connection += u64::from(u128::from(late_ns) > LATE.as_nanos());
    }

    /// Something went wrong.
    pub(super) fn error(&mut self, what: &dyn std::fmt::Display) {
        *self.errors.entry(what.to_string()).or_default() += 1;
    }

    /// A request has its outcome.
    pub(super) fn ended(&mut self, record: &Record) {
        self.outcomes[record.outcome as usize] += 1;
        self.last_ns = self.last_ns.max(record.ended_ns);
        if let Some(status) = record.status {
            self.statuses[usize::from(status)] += 1;
            self.latency.saturating_record(record.ended_ns.saturating_sub(record.intended_ns));
            let sent = record.sent_ns.unwrap_or(record.intended_ns);
            self.service.saturating_record(record.ended_ns.saturating_sub(sent));
        }
        (self.on_record)(record);
    }

    /// Begins at `begin_ns`, lasts at least until `end_ns`.
    pub(super) fn report(self, begin_ns: u64, end_ns: u64, capped: bool, stopped: bool) -> Report {
        let outcomes = Outcome::ALL.into_iter().zip(self.outcomes);
        let statuses = (0u16..).zip(self.statuses);
        Report {
            begin_ns,
            end_ns: self.last_ns.max(end_ns).max(begin_ns),
            requests: self.outcomes.iter().sum(),
            outcomes: outcomes.filter(|(_, count)| *count > 0).collect(),
            statuses: statuses.filter(|(_, count)| *count > 0).collect(),
            errors: self.errors,
            latency: self.latency,
            service: self.service,
            send_error: self.lateness.send_error(),
            late_for_connection: self.late_for_connection,
            raised_priority: false,
            bytes_read: self.bytes_read,
            connections: self.connections,
            capped,
            stopped,
        }
    }
}
