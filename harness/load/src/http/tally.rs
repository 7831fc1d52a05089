//! Counts outcomes while a load is sent.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::record::{Outcome, Record};
use super::report::Report;
use crate::pacer::{LATE, Lateness};
use crate::time::SECOND;

/// The longest latency that is recorded exactly: an hour. Longer ones count as this.
const LONGEST_NS: u64 = 3600 * SECOND;

/// Why a load ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// The limit on the number of requests was reached.
    pub(super) capped: bool,
    /// The stop flag was set.
    pub(super) stopped: bool,
}

/// Collects outcomes. Allocates nothing for a request with a response.
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

    /// A request was sent this long after its intended time.
    pub(super) fn sent(&mut self, late_ns: u64) {
        self.lateness.record(late_ns);
    }

    /// Like [`Self::sent`], for a request that had to wait for a connection.
    pub(super) fn sent_after_waiting(&mut self, late_ns: u64) {
        self.sent(late_ns);
        self.late_for_connection += u64::from(u128::from(late_ns) > LATE.as_nanos());
    }

    pub(super) fn error(&mut self, what: &dyn std::fmt::Display) {
        *self.errors.entry(what.to_string()).or_default() += 1;
    }

    /// A request has ended.
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

    /// The report of a load that began at `begin_ns` and lasted at least until `end_ns`.
    pub(super) fn report(self, begin_ns: u64, end_ns: u64, ended: Ended) -> Report {
        let outcomes = Outcome::ALL.iter().copied().zip(self.outcomes);
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
            capped: ended.capped,
            stopped: ended.stopped,
        }
    }
}
