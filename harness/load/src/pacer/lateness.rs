//! How much later than intended things were sent.

use std::time::Duration;

use hdrhistogram::Histogram;

/// From here on a send counts as late.
pub const LATE: Duration = Duration::from_millis(1);

/// Longest lateness that is told apart from longer ones: an hour.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// Collects how late each send was.
#[derive(Clone, Debug)]
pub struct Lateness {
    histogram: Histogram<u64>,
    late: u64,
}

impl Lateness {
    /// Nothing was sent yet.
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_NS, 3).expect("valid bounds");
        Self { histogram, late: 0 }
    }

    /// A send was late by `ns`.
    pub fn record(&mut self, ns: u64) {
        self.histogram.saturating_record(ns);
        self.late += u64::from(u128::from(ns) > LATE.as_nanos());
    }

    /// What it comes to.
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

/// How exactly a driver kept its intended times; three digits are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendError {
    /// What was sent.
    pub sends: u64,
    /// What was sent more than [`LATE`] after its time.
    pub late: u64,
    /// Median, in nanoseconds after the intended time.
    pub p50_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// The largest.
    pub max_ns: u64,
}
