//! How long an operation is expected to take, given how long it took recently.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The mean before the first measurement: longer than any bound.
const UNKNOWN: u64 = u64::MAX;
/// The weight of the latest duration is one in this many.
const WINDOW: u64 = 16;

/// An exponentially weighted mean of durations.
#[derive(Debug)]
pub(super) struct RecentMean {
    ns: AtomicU64,
    cap_ns: u64,
}

impl RecentMean {
    /// A mean without measurements. Longer durations count as `cap_ns`, because on a busy
    /// machine even a short operation is now and then interrupted for milliseconds.
    pub fn new(cap_ns: u64) -> Self {
        Self { ns: AtomicU64::new(UNKNOWN), cap_ns }
    }

    /// Adds a measurement.
    pub fn add(&self, took_ns: u64) {
        let took_ns = took_ns.min(self.cap_ns);
        let next_ns = match self.ns() {
            UNKNOWN => took_ns,
            mean_ns => mean_ns - mean_ns / WINDOW + took_ns / WINDOW,
        };
        self.ns.store(next_ns, Relaxed);
    }

    /// Nanoseconds; [`u64::MAX`] before the first measurement.
    pub fn ns(&self) -> u64 {
        self.ns.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_follows_recent_durations_up_to_the_cap() {
        let mean = RecentMean::new(1_600);
        assert_eq!(mean.ns(), u64::MAX);
        mean.add(160);
        assert_eq!(mean.ns(), 160);
        mean.add(1_000_000);
        assert_eq!(mean.ns(), 160 - 10 + 100);
    }
}
