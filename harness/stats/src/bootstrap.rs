//! Percentile bootstrap intervals (Efron, "Bootstrap methods", Annals of
//! Statistics 7(1), 1979).

use crate::draws::Draws;
use crate::{Error, Percentile, Samples};

/// A confidence level as a fraction, such as 0.95. See [`Level::shared_by`] for
/// many comparisons.
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

    /// The level that each of `comparisons` needs for all of them to hold together at
    /// this one: 1 - (1 - level) / comparisons (Bonferroni; Dunn, "Multiple comparisons
    /// among means", JASA 56, 1961). It holds however the comparisons depend on each other.
    #[must_use]
    pub fn shared_by(self, comparisons: usize) -> Self {
        Self(1.0 - (1.0 - self.0) / comparisons.max(1) as f64)
    }

    /// The level as a fraction.
    #[must_use]
    pub fn fraction(self) -> f64 {
        self.0
    }

    /// What is left outside the interval, both tails together. Rounded to nine
    /// digits, so that 1 - 0.95 is 0.05 and not a bit more.
    pub(crate) fn alpha(self) -> f64 {
        ((1.0 - self.0) * 1e9).round() / 1e9
    }
}

/// How an interval is computed: level, number of resamples, seed. Valid by
/// construction, so that computing an interval cannot fail for its sake.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    level: Level,
    resamples: u32,
    seed: u64,
}

impl Default for Bootstrap {
    /// 95 %, 10,000 resamples (Davison and Hinkley, "Bootstrap Methods and Their
    /// Application", 1997, advise at least 1,000), seed 42.
    fn default() -> Self {
        Self { level: Level::P95, resamples: 10_000, seed: 42 }
    }
}

impl Bootstrap {
    /// The largest number of resamples accepted.
    pub const MAX_RESAMPLES: u32 = 1_000_000;

    /// A plan for intervals.
    ///
    /// # Errors
    /// [`Error::BadResamples`] if a tail of the level would hold less than one
    /// replicate (39 are needed at 95 %, 199 at 99 %), or above
    /// [`Bootstrap::MAX_RESAMPLES`].
    pub fn new(level: Level, resamples: u32, seed: u64) -> Result<Self, Error> {
        let min = (2.0 / level.alpha()).ceil() as u32 - 1;
        if !(min..=Self::MAX_RESAMPLES).contains(&resamples) {
            return Err(Error::BadResamples { given: resamples, min, max: Self::MAX_RESAMPLES });
        }
        Ok(Self { level, resamples, seed })
    }

    /// The confidence level.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// How many resamples are drawn.
    #[must_use]
    pub fn resamples(&self) -> u32 {
        self.resamples
    }

    /// The seed of the random stream.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Draws all replicates of a statistic and cuts its interval out of them.
    ///
    /// With R replicates and k = floor((R + 1) alpha / 2), the ends are the
    /// k-th smallest and the k-th largest (Efron and Tibshirani, "An Introduction
    /// to the Bootstrap", 1993, 13.3). No interpolation: the interval of 1/x is
    /// then exactly the reciprocal of the interval of x. The interval is widened
    /// to its own estimate should that fall outside, which takes a strongly
    /// lopsided statistic.
    pub(crate) fn interval(
        &self,
        estimate: f64,
        reliability: Reliability,
        mut replicate: impl FnMut(&mut Draws) -> f64,
    ) -> Interval {
        let mut draws = Draws::new(self.seed);
        let mut replicates: Vec<f64> = (0..self.resamples).map(|_| replicate(&mut draws)).collect();
        let count = replicates.len();
        let k = ((count + 1) as f64 * self.level.alpha() / 2.0 + 1e-9) as usize;
        let (_, lo, above) = replicates.select_nth_unstable_by(k - 1, f64::total_cmp);
        let lo = *lo;
        let (_, hi, _) = above.select_nth_unstable_by(count - 2 * k, f64::total_cmp);
        Interval {
            estimate,
            lo: lo.min(estimate),
            hi: hi.max(estimate),
            level: self.level,
            reliability,
        }
    }
}

/// Whether an interval can keep what its level promises. From best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reliability {
    /// Enough samples.
    Sound,
    /// Fewer than [`FEW_BLOCKS`](crate::FEW_BLOCKS) blocks: drift between blocks
    /// is known from a handful of them only.
    FewBlocks,
    /// Read the interval as a range seen, not as a confidence interval. For a
    /// percentile: fewer than 5 samples, or so few that even the range from the
    /// smallest to the largest would miss it more often than the level allows.
    /// For a ratio: fewer than 5 samples on a side.
    FewSamples,
    /// No evidence at all: a single sample, whose interval is the point itself;
    /// for a ratio also so few samples that two equal sides would separate
    /// completely more often than the level allows.
    TooFewSamples,
}

/// An estimate with its confidence interval, in the samples' unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The statistic of the samples themselves.
    pub estimate: f64,
    /// Lower end; at most the estimate.
    pub lo: f64,
    /// Upper end; at least the estimate.
    pub hi: f64,
    /// The level that was asked for.
    pub level: Level,
    /// Whether it can be relied on.
    pub reliability: Reliability,
}

impl Interval {
    /// Whether `value` lies within, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.lo <= value && value <= self.hi
    }

    /// hi - lo.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.hi - self.lo
    }
}

/// The interval of a percentile. The samples count as independent; for samples
/// that come in blocks, use it to describe and not to compare.
///
/// The cost is about 0.2 us a resample for any number of samples.
#[must_use]
pub fn ci(samples: &Samples, statistic: Percentile, plan: &Bootstrap) -> Interval {
    let reliability = percentile_reliability(samples.len(), statistic, plan.level);
    plan.interval(samples.percentile(statistic), reliability, |draws| {
        draws.resampled_percentile(samples, statistic)
    })
}

/// The range of n samples misses the q-quantile with probability
/// q^n + (1 - q)^n (Wilks, "Determination of sample sizes for setting tolerance
/// limits", Annals of Mathematical Statistics 12(1), 1941). At 95 % the median
/// thus needs 6 samples, the 95th percentile 59 and the 99th 299.
fn percentile_reliability(n: usize, statistic: Percentile, level: Level) -> Reliability {
    let (q, n_real) = (statistic.fraction(), n as f64);
    let missed = libm::pow(q, n_real) + libm::pow(1.0 - q, n_real);
    match n {
        1 => Reliability::TooFewSamples,
        2..5 => Reliability::FewSamples,
        _ if missed > level.alpha() => Reliability::FewSamples,
        _ => Reliability::Sound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_checked() {
        for bad in [0.0, 0.49, 1.0, 95.0, f64::NAN] {
            assert!(Level::new(bad).is_err());
        }
        let min = |level| match Bootstrap::new(level, 0, 0) {
            Err(Error::BadResamples { min, .. }) => min,
            other => panic!("{other:?}"),
        };
        assert_eq!((min(Level::P95), min(Level::P99)), (39, 199));
        for level in [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999].map(|l| Level::new(l).unwrap()) {
            let plan = Bootstrap::new(level, min(level), 1).unwrap();
            let samples = Samples::from_nanos(1..9).unwrap();
            assert!(ci(&samples, Percentile::MEDIAN, &plan).width() > 0.0);
        }
        assert!(Bootstrap::new(Level::P95, 1_000_001, 0).is_err());
    }

    #[test]
    fn ends_are_the_kth_from_either_side() {
        let plan = Bootstrap::new(Level::P95, 199, 0).unwrap();
        let mut next = 0.0;
        let interval = plan.interval(100.0, Reliability::Sound, |_| {
            next += 1.0;
            next
        });
        assert_eq!((interval.lo, interval.hi), (5.0, 195.0));
    }

    #[test]
    fn one_sample_is_a_point_and_says_so() {
        let one = Samples::from_nanos([9]).unwrap();
        let interval = ci(&one, Percentile::MEDIAN, &Bootstrap::default());
        assert_eq!((interval.lo, interval.hi), (9.0, 9.0));
        assert_eq!(interval.reliability, Reliability::TooFewSamples);
    }

    #[test]
    fn small_sets_are_flagged_by_percentile_and_level() {
        use Reliability::{FewSamples, Sound};

        let at = |n, p, level| percentile_reliability(n, p, level);
        let half = Level::new(0.5).unwrap();
        for (n, p, level, expected) in [
            (4, Percentile::MEDIAN, half, FewSamples),
            (5, Percentile::MEDIAN, half, Sound),
            (5, Percentile::MEDIAN, Level::P95, FewSamples),
            (6, Percentile::MEDIAN, Level::P95, Sound),
            (7, Percentile::MEDIAN, Level::P99, FewSamples),
            (8, Percentile::MEDIAN, Level::P99, Sound),
            (58, Percentile::P95, Level::P95, FewSamples),
            (59, Percentile::P95, Level::P95, Sound),
            (298, Percentile::P99, Level::P95, FewSamples),
            (299, Percentile::P99, Level::P95, Sound),
            (9999, Percentile::new(100.0).unwrap(), Level::P95, FewSamples),
        ] {
            assert_eq!(at(n, p, level), expected, "{n} {p:?} {level:?}");
        }
    }
}
