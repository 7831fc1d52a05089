//! An estimate with its confidence interval, and how far to trust it.

use crate::error::Error;

/// A confidence level as a fraction, such as 0.95. See [`Level::shared_by`] for several
/// comparisons.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Level(f64);

impl Level {
    /// 95 %, the default.
    pub const P95: Self = Self(0.95);
    /// 99 %.
    pub const P99: Self = Self(0.99);

    /// A level as a fraction.
    ///
    /// # Errors
    /// [`Error::BadLevel`] outside 0.5..=0.9999 and for NaN.
    pub fn new(fraction: f64) -> Result<Self, Error> {
        match fraction {
            0.5..=0.9999 => Ok(Self(fraction)),
            _ => Err(Error::BadLevel(fraction)),
        }
    }

    /// The level that each of `comparisons` needs so that all of them hold together at this level:
    /// 1 - (1 - level) / comparisons (Bonferroni; Dunn, "Multiple comparisons among means", JASA
    /// 56, 1961). The comparisons may depend on each other.
    #[must_use]
    pub fn shared_by(self, comparisons: usize) -> Self {
        Self(1.0 - (1.0 - self.0) / comparisons.max(1) as f64)
    }

    /// The level as a fraction.
    #[must_use]
    pub fn fraction(self) -> f64 {
        self.0
    }

    /// The probability outside the interval, in both tails together. Rounded to nine digits, so
    /// that 1 - 0.95 is exactly 0.05.
    pub(crate) fn alpha(self) -> f64 {
        ((1.0 - self.0) * 1e9).round() / 1e9
    }
}

/// Whether an interval has the coverage that its level states; from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reliability {
    /// There are enough samples.
    Sound,
    /// There are fewer than [`FEW_BLOCKS`](crate::FEW_BLOCKS) blocks, so the drift between blocks
    /// is poorly known.
    FewBlocks,
    /// The interval is an observed range, not a confidence interval. For a percentile: there are
    /// fewer than 5 samples, or even the range from the smallest to the largest sample misses the
    /// percentile more often than the level allows. For a ratio: one side has fewer than 5 samples.
    FewSamples,
    /// The interval is no evidence. There is a single sample, and the interval is that point. For a
    /// ratio also: two equal sides of this size separate completely more often than the level
    /// allows.
    TooFewSamples,
}

/// An estimate with its confidence interval, in the samples' unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The statistic of the samples.
    pub estimate: f64,
    /// The lower end; at most the estimate.
    pub lo: f64,
    /// The upper end; at least the estimate.
    pub hi: f64,
    /// The confidence level.
    pub level: Level,
    /// How far to trust the interval.
    pub reliability: Reliability,
}

impl Interval {
    /// Whether `value` lies within the interval, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.lo <= value && value <= self.hi
    }

    /// The distance from the lower to the upper end.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.hi - self.lo
    }
}
