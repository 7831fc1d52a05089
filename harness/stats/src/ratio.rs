//! Ratios of medians, candidate over base, and what all of them need.

use crate::bootstrap::Bootstrap;
use crate::error::Error;
use crate::interval::{Interval, Level, Reliability};
use crate::samples::{Percentile, Samples};

/// The interval of a ratio candidate / base, without unit. Above 1, the candidate takes longer. The
/// ends are positive, finite and in ascending order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioInterval(Interval);

impl RatioInterval {
    /// Checks an interval that was computed elsewhere.
    ///
    /// # Errors
    /// [`Error::BadInterval`] unless 0 < lo <= estimate <= hi < infinity.
    pub fn new(interval: Interval) -> Result<Self, Error> {
        let Interval { estimate, lo, hi, .. } = interval;
        if 0.0 < lo && lo <= estimate && estimate <= hi && hi.is_finite() {
            Ok(Self(interval))
        } else {
            Err(Error::BadInterval { lo, estimate, hi })
        }
    }

    /// The ratio of the medians.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        self.0.estimate
    }

    /// The lower end.
    #[must_use]
    pub fn lo(&self) -> f64 {
        self.0.lo
    }

    /// The upper end.
    #[must_use]
    pub fn hi(&self) -> f64 {
        self.0.hi
    }

    /// How far to trust the interval.
    #[must_use]
    pub fn reliability(&self) -> Reliability {
        self.0.reliability
    }

    /// The interval itself.
    #[must_use]
    pub fn interval(&self) -> &Interval {
        &self.0
    }
}

/// The ratio of the medians of two sets that were measured independently. Each set is resampled
/// separately.
///
/// The interval does not include drift between the two measurements. If the samples come in
/// blocks, use [`ratio_of_blocks`](crate::ratio_of_blocks) or
/// [`ratio_of_runs`](crate::ratio_of_runs).
///
/// # Errors
/// [`Error::NotPositive`] if a sample of either set is not positive.
pub fn ratio_of_medians(
    base: &Samples,
    candidate: &Samples,
    bootstrap: &Bootstrap,
) -> Result<RatioInterval, Error> {
    positive(base)?;
    positive(candidate)?;
    let reliability = side_reliability(base.len(), candidate.len(), bootstrap.level());
    let estimate = candidate.median() / base.median();
    let interval = bootstrap.interval(estimate, reliability, |draws| {
        let base = draws.resampled_percentile(base, Percentile::MEDIAN);
        draws.resampled_percentile(candidate, Percentile::MEDIAN) / base
    });
    RatioInterval::new(interval)
}

/// The geometric mean of ratios, exp(mean(ln r)). It is the only mean for which the order of
/// normalising and averaging does not matter (Fleming and Wallace, "How not to lie with
/// statistics", CACM 29(3), 1986).
///
/// # Errors
/// [`Error::NoSamples`] without ratios, [`Error::NotFinite`] and [`Error::NotPositive`] for such
/// ratios.
pub fn geometric_mean(ratios: impl IntoIterator<Item = f64>) -> Result<f64, Error> {
    let ratios = Samples::new(ratios)?;
    positive(&ratios)?;
    let logs: f64 = ratios.as_sorted().iter().map(|&r| libm::log(r)).sum();
    let mean = libm::exp(logs / ratios.len() as f64);
    Ok(mean.clamp(ratios.min(), ratios.max()))
}

/// Ratios need samples above zero, and not so close to zero that the ratio overflows.
pub(crate) fn positive(samples: &Samples) -> Result<(), Error> {
    match samples.min() {
        value if value < 1.0 / Samples::LIMIT => Err(Error::NotPositive { value }),
        _ => Ok(()),
    }
}

/// How far to trust a ratio of two sides with n and m samples.
///
/// Two equal sides separate completely (all samples of one below all of the other) with probability
/// 2 / C(n + m, n). If that is more than the level allows, no outcome is evidence: it is the
/// smallest p-value of the rank-sum test (Mann and Whitney, Annals of Mathematical Statistics
/// 18(1), 1947). Each side needs 4 samples at 95 %, and 5 at 99 %.
pub(crate) fn side_reliability(n: usize, m: usize, level: Level) -> Reliability {
    let smaller = n.min(m);
    let mut orders = 1.0;
    for i in 1..=smaller {
        orders *= (n.max(m) + i) as f64 / i as f64;
        if orders > 1e9 {
            break;
        }
    }
    if smaller == 1 || 2.0 / orders > level.alpha() {
        Reliability::TooFewSamples
    } else if smaller < 5 {
        Reliability::FewSamples
    } else {
        Reliability::Sound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_sides_that_are_too_small_to_show_a_difference() {
        use Reliability::{FewSamples, Sound, TooFewSamples};

        for (n, m, level, expected) in [
            (3, 3, Level::P95, TooFewSamples), // 2 / 20
            (4, 4, Level::P95, FewSamples),    // 2 / 70
            (4, 4, Level::P99, TooFewSamples),
            (5, 5, Level::P99, Sound), // 2 / 252
            (3, 9, Level::P95, FewSamples),
            (1, 1000, Level::P95, TooFewSamples),
            (100_000, 100_000, Level::P99, Sound),
        ] {
            assert_eq!(side_reliability(n, m, level), expected, "{n} {m}");
        }
    }

    #[test]
    fn the_geometric_mean_of_reciprocals_is_one() {
        assert!((geometric_mean([4.0, 0.25, 3.0, 1.0 / 3.0]).unwrap() - 1.0).abs() < 1e-15);
        assert!((geometric_mean([2.0, 8.0]).unwrap() - 4.0).abs() < 1e-12);
        assert_eq!(geometric_mean([]), Err(Error::NoSamples));
        assert!(geometric_mean([1.0, 0.0]).is_err());
    }
}
