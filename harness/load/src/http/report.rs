//! The result of a load.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::record::Outcome;
use crate::pacer::SendError;

/// The result of a load.
#[derive(Clone, Debug)]
pub struct Report {
    /// The origin of intended times, in nanoseconds of `CLOCK_MONOTONIC`.
    pub begin_ns: u64,
    /// The last outcome, or the end of the duration if that is later.
    pub end_ns: u64,
    /// Number of requests; each has one of the [outcomes](Self::outcomes).
    pub requests: u64,
    /// Number of requests by outcome, without zeros.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Number of responses by status, without zeros.
    pub statuses: BTreeMap<u16, u64>,
    /// Number of errors by message: broken and refused connections, malformed responses.
    pub errors: BTreeMap<String, u64>,
    /// Of all responses, from the intended time to the last byte, in nanoseconds. Waiting for a
    /// connection or for a stopped server is included, so there is no coordinated omission
    /// (Tene, *How NOT to Measure Latency*, 2013).
    pub latency: Histogram<u64>,
    /// Of all responses, from the actual sending to the last byte, in nanoseconds.
    pub service: Histogram<u64>,
    /// How exactly intended times were kept. In a closed loop a request is late only if it
    /// waits for a connection.
    pub send_error: SendError,
    /// Number of late sends that had waited for a connection: all were in use, or one was being
    /// made.
    pub late_for_connection: u64,
    /// Whether the sender had a raised priority ([`lumos_os::priority`]); never in a closed
    /// loop.
    pub raised_priority: bool,
    /// Bytes read.
    pub bytes_read: u64,
    /// Connections made.
    pub connections: u64,
    /// Whether the limit on the number of requests ended the load, not the duration.
    pub capped: bool,
    /// Whether the load was stopped.
    pub stopped: bool,
}

impl Report {
    /// The time from begin to end.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.end_ns - self.begin_ns)
    }

    /// Number of requests with this outcome.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    /// Number of complete responses, whatever their status.
    pub fn answered(&self) -> u64 {
        self.latency.len()
    }

    /// Number of requests that the server or the network failed.
    pub fn failures(&self) -> u64 {
        self.outcomes.iter().filter(|(o, _)| o.is_failure()).map(|(_, count)| count).sum()
    }

    /// Complete responses a second.
    pub fn rate(&self) -> f64 {
        self.answered() as f64 / self.elapsed().as_secs_f64().max(1e-9)
    }
}
