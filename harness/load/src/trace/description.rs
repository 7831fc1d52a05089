//! Statistics of a list of arrivals.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::time::SECOND;

/// The longest gap that is recorded exactly: a month. Longer ones count as this.
const LONGEST_NS: u64 = 31 * 86_400 * SECOND;

/// The limits above which gaps are counted.
pub const IDLE: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];

/// The keep-alive times for which cold starts are predicted.
pub const KEEP_ALIVE: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(600),
];

/// Describes arrivals, which must be added in order. The memory use does not depend on their
/// number.
#[derive(Clone, Debug)]
pub struct Description {
    /// Number of arrivals.
    pub count: u64,
    /// The first arrival, in nanoseconds from the beginning.
    pub first_ns: u64,
    /// The last arrival, in nanoseconds from the beginning.
    pub last_ns: u64,
    /// Times between arrivals in nanoseconds, to three significant digits.
    pub gaps: Histogram<u64>,
    /// The most arrivals in a second, with seconds counted from the beginning.
    pub peak: u64,
    /// Number of gaps longer than each of [`IDLE`].
    pub idle: [u64; IDLE.len()],
    /// Number of arrivals that come later after their predecessor than each of [`KEEP_ALIVE`],
    /// and the first arrival: these would be cold starts with one instance that serves in no
    /// time.
    pub cold: [u64; KEEP_ALIVE.len()],
    second: u64,
    in_second: u64,
    /// Welford's mean and sum of squared differences of the gaps (Knuth, *The Art of Computer
    /// Programming*, volume 2, section 4.2.2).
    mean_gap: f64,
    squares: f64,
}

impl Description {
    /// Without any arrival.
    pub fn new() -> Self {
        Self {
            count: 0,
            first_ns: 0,
            last_ns: 0,
            gaps: Histogram::new_with_bounds(1, LONGEST_NS, 3).expect("valid bounds"),
            peak: 0,
            idle: [0; IDLE.len()],
            cold: [0; KEEP_ALIVE.len()],
            second: 0,
            in_second: 0,
            mean_gap: 0.0,
            squares: 0.0,
        }
    }

    /// Adds an arrival, which must not be before the last one.
    pub fn add(&mut self, at_ns: u64) {
        self.count += 1;
        if self.count == 1 {
            self.first_ns = at_ns;
            self.cold = [1; KEEP_ALIVE.len()];
        } else {
            self.add_gap(at_ns - self.last_ns);
        }
        self.last_ns = at_ns;
        if at_ns / SECOND != self.second {
            (self.second, self.in_second) = (at_ns / SECOND, 0);
        }
        self.in_second += 1;
        self.peak = self.peak.max(self.in_second);
    }

    fn add_gap(&mut self, gap_ns: u64) {
        self.gaps.saturating_record(gap_ns);
        let longer = |limit: &Duration| u64::from(u128::from(gap_ns) > limit.as_nanos());
        self.idle.iter_mut().zip(&IDLE).for_each(|(count, limit)| *count += longer(limit));
        self.cold.iter_mut().zip(&KEEP_ALIVE).for_each(|(count, limit)| *count += longer(limit));
        let difference = gap_ns as f64 - self.mean_gap;
        self.mean_gap += difference / (self.count - 1) as f64;
        self.squares += difference * (gap_ns as f64 - self.mean_gap);
    }

    /// Arrivals a second between the first and the last; `None` if all are at one time.
    pub fn mean_rate(&self) -> Option<f64> {
        (self.mean_gap > 0.0).then(|| SECOND as f64 / self.mean_gap)
    }

    /// Coefficient of variation of the gaps (standard deviation divided by mean): 0 at a
    /// constant rate, near 1 for Poisson arrivals, above 1 for bursts. `None` if all arrivals
    /// are at one time.
    pub fn variation(&self) -> Option<f64> {
        let gaps = self.count.saturating_sub(1).max(1) as f64;
        (self.mean_gap > 0.0).then(|| (self.squares / gaps).sqrt() / self.mean_gap)
    }

    /// `count` as a share of all arrivals.
    pub fn share(&self, count: u64) -> f64 {
        count as f64 / self.count.max(1) as f64
    }
}

impl Default for Description {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn describes_a_few_arrivals_exactly() {
        let mut described = Description::new();
        // Gaps of 0.5, 0.5, 2, 20 and 100 s.
        for at in [1.0, 1.5, 2.0, 4.0, 24.0, 124.0] {
            described.add((at * SECOND as f64) as u64);
        }
        assert_eq!((described.count, described.peak), (6, 2));
        assert_eq!((described.idle, described.cold), ([3, 2, 1], [4, 3, 2, 1]));
        assert!((described.mean_rate().unwrap() - 5.0 / 123.0).abs() < 1e-12);
        let mean = 123.0 / 5.0;
        let squares: f64 = [0.5, 0.5, 2.0, 20.0, 100.0].iter().map(|gap| gap * gap).sum();
        let variation = (squares / 5.0 - mean * mean).sqrt() / mean;
        assert!((described.variation().unwrap() - variation).abs() < 1e-9);
    }

    #[test]
    fn a_single_arrival_has_no_rate() {
        let mut described = Description::new();
        assert_eq!((described.mean_rate(), described.variation()), (None, None));
        described.add(5);
        assert_eq!((described.mean_rate(), described.share(described.cold[0])), (None, 1.0));
    }
}
