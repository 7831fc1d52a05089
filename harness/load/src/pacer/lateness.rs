//! How late requests are sent.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::time::SECOND;

/// A send counts as late if it is later than this.
pub const LATE: Duration = Duration::from_millis(1);

/// The longest lateness that is recorded exactly: an hour. Longer ones count as this.
const LONGEST_NS: u64 = 3600 * SECOND;

/// Collects the lateness of each send.
#[derive(Clone, Debug)]
pub struct Lateness {
    histogram: Histogram<u64>,
    late: u64,
}

impl Lateness {
    /// Without any send.
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_NS, 3).expect("valid bounds");
        Self { histogram, late: 0 }
    }

    /// Adds a send that was late by `ns`.
    pub fn record(&mut self, ns: u64) {
        self.histogram.saturating_record(ns);
        self.late += u64::from(u128::from(ns) > LATE.as_nanos());
    }

    /// The summary of all sends so far.
    pub fn send_error(&self) -> SendError {
        SendError {
            sends: self.histogram.len(),
            late: self.late,
            p50_ns: self.histogram.value_at_quantile(0.5),
            p99_ns: self.histogram.value_at_quantile(0.99),
            max_ns: self.histogram.max(),
        }
    }
}

impl Default for Lateness {
    fn default() -> Self {
        Self::new()
    }
}

/// How exactly a driver kept its intended times, to three significant digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendError {
    /// Number of sends.
    pub sends: u64,
    /// Number of sends more than [`LATE`] after their intended time.
    pub late: u64,
    /// Median lateness in nanoseconds after the intended time.
    pub p50_ns: u64,
    /// 99th percentile of the lateness.
    pub p99_ns: u64,
    /// Highest lateness.
    pub max_ns: u64,
}
