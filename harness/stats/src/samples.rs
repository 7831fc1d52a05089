//! A validated and sorted set of samples, and its statistics.

use crate::error::Error;

/// A percentile in percent: 0 is the minimum, 100 the maximum.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Percentile(f64);

impl Percentile {
    /// The 25th percentile, the lower quartile.
    pub const P25: Self = Self(25.0);
    /// The 50th percentile.
    pub const MEDIAN: Self = Self(50.0);
    /// The 75th percentile, the upper quartile.
    pub const P75: Self = Self(75.0);
    /// The 90th percentile.
    pub const P90: Self = Self(90.0);
    /// The 95th percentile.
    pub const P95: Self = Self(95.0);
    /// The 99th percentile.
    pub const P99: Self = Self(99.0);

    /// A percentile in percent.
    ///
    /// # Errors
    /// [`Error::BadPercentile`] outside 0..=100 and for NaN.
    pub fn new(percent: f64) -> Result<Self, Error> {
        match percent {
            0.0..=100.0 => Ok(Self(percent)),
            _ => Err(Error::BadPercentile(percent)),
        }
    }

    /// The percentile in percent.
    #[must_use]
    pub fn percent(self) -> f64 {
        self.0
    }

    /// The percentile as a fraction, 0..=1.
    #[must_use]
    pub fn fraction(self) -> f64 {
        self.0 / 100.0
    }

    /// The position of the percentile among `n` sorted samples.
    pub(crate) fn position(self, n: usize) -> Position {
        let at = self.fraction() * n.saturating_sub(1) as f64;
        Position { rank: at as usize, weight: at - at.floor() }
    }
}

/// A position between two neighbouring ranks, counted from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    /// The lower rank.
    pub rank: usize,
    /// The distance towards the upper rank, 0..1.
    pub weight: f64,
}

impl Position {
    /// The value at this position, from the values of both ranks.
    pub fn between(self, lower: f64, upper: f64) -> f64 {
        lower + self.weight * (upper - lower)
    }
}

/// Finite samples of one quantity in one unit, sorted; never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    sorted: Vec<f64>,
}

impl Samples {
    /// The largest magnitude of a sample. It keeps differences and ratios of samples finite, and is
    /// far above any measurement.
    pub const LIMIT: f64 = 1e150;

    /// Takes samples in any order and unit.
    ///
    /// # Errors
    /// [`Error::NoSamples`] without samples; [`Error::NotFinite`] for the first one that is NaN,
    /// infinite or beyond [`Samples::LIMIT`].
    pub fn new(values: impl IntoIterator<Item = f64>) -> Result<Self, Error> {
        let mut sorted = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            if value.is_nan() || value.abs() > Self::LIMIT {
                return Err(Error::NotFinite { index, value });
            }
            sorted.push(value + 0.0); // -0.0 becomes 0.0, so that equal samples sort equally
        }
        if sorted.is_empty() {
            return Err(Error::NoSamples);
        }
        sorted.sort_unstable_by(f64::total_cmp);
        Ok(Self { sorted })
    }

    /// Takes durations in nanoseconds. They are exact up to 2^53 ns, which is 104 days.
    ///
    /// # Errors
    /// [`Error::NoSamples`] without samples.
    pub fn from_nanos(values: impl IntoIterator<Item = u64>) -> Result<Self, Error> {
        Self::new(values.into_iter().map(|ns| ns as f64))
    }

    /// The samples in ascending order.
    #[must_use]
    pub fn as_sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// The number of samples; at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// The smallest sample.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.sorted[0]
    }

    /// The largest sample.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.sorted[self.len() - 1]
    }

    /// The arithmetic mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let sum: f64 = self.sorted.iter().sum();
        // Rounding of the sum must not move the mean of equal samples away from them.
        (sum / self.len() as f64).clamp(self.min(), self.max())
    }

    /// A percentile by linear interpolation: with h = (n - 1) p and i = floor(h),
    /// x\[i\] + (h - i) (x\[i + 1\] - x\[i\]). Definition 7 of Hyndman and Fan,
    /// "Sample quantiles in statistical packages", The American Statistician
    /// 50(4), 1996; the default of R and NumPy.
    #[must_use]
    pub fn percentile(&self, p: Percentile) -> f64 {
        let at = p.position(self.len());
        let upper = (at.rank + 1).min(self.len() - 1);
        at.between(self.sorted[at.rank], self.sorted[upper])
    }

    /// The 50th percentile.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.percentile(Percentile::MEDIAN)
    }

    /// The median absolute deviation, median(|x - median(x)|), unscaled, in the
    /// samples' unit. Times 1.4826 it estimates a normal distribution's sigma
    /// (Hampel, JASA 69, 1974).
    #[must_use]
    pub fn mad(&self) -> f64 {
        let median = self.median();
        let mut deviations: Vec<f64> = self.sorted.iter().map(|x| (x - median).abs()).collect();
        deviations.sort_unstable_by(f64::total_cmp);
        Self { sorted: deviations }.median()
    }

    /// Tukey's inner fences, Q1 - 1.5 IQR and Q3 + 1.5 IQR (Tukey, "Exploratory
    /// Data Analysis", 1977), with the quartiles of [`Samples::percentile`].
    #[must_use]
    pub fn fences(&self) -> Fences {
        let (q1, q3) = (self.percentile(Percentile::P25), self.percentile(Percentile::P75));
        let reach = 1.5 * (q3 - q1);
        Fences { low: q1 - reach, high: q3 + reach }
    }

    /// The number of samples strictly outside the [fences](Samples::fences). They are counted but
    /// not removed: every other statistic includes them.
    #[must_use]
    pub fn outliers(&self) -> Outliers {
        let fences = self.fences();
        Outliers {
            low: self.sorted.partition_point(|&x| x < fences.low),
            high: self.len() - self.sorted.partition_point(|&x| x <= fences.high),
        }
    }
}

/// Tukey's inner fences, in the samples' unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fences {
    /// Samples below are outliers.
    pub low: f64,
    /// Samples above are outliers.
    pub high: f64,
}

/// Counts of samples outside the fences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outliers {
    /// Samples below the lower fence.
    pub low: usize,
    /// Samples above the upper fence.
    pub high: usize,
}

impl Outliers {
    /// Samples outside either fence.
    #[must_use]
    pub fn total(self) -> usize {
        self.low + self.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_bad_input_with_its_position() {
        assert_eq!(Samples::new([]), Err(Error::NoSamples));
        assert_eq!(Samples::from_nanos([]), Err(Error::NoSamples));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e151, -1e300] {
            let error = Samples::new([1.0, bad]).unwrap_err();
            assert!(matches!(error, Error::NotFinite { index: 1, .. }));
        }
        for bad in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
            assert!(Percentile::new(bad).is_err());
        }
    }

    #[test]
    fn every_statistic_of_a_single_sample_is_that_sample() {
        let one = Samples::from_nanos([7]).unwrap();
        for p in [0.0, 12.3, 50.0, 99.9, 100.0] {
            assert_eq!(one.percentile(Percentile::new(p).unwrap()), 7.0);
        }
        assert_eq!((one.min(), one.max(), one.mean()), (7.0, 7.0, 7.0));
        assert_eq!((one.mad(), one.outliers().total()), (0.0, 0));
    }

    #[test]
    fn the_extreme_percentiles_are_minimum_and_maximum() {
        let samples = Samples::new([3.0, -0.0, 9.0, 4.0]).unwrap();
        assert_eq!(samples.percentile(Percentile::new(0.0).unwrap()), 0.0);
        assert_eq!(samples.percentile(Percentile::new(100.0).unwrap()), 9.0);
        assert!(samples.min().is_sign_positive());
    }

    #[test]
    fn outliers_are_counted_but_not_removed() {
        let samples = Samples::new([-90.0, 9.0, 10.0, 10.0, 11.0, 12.0, 50.0, 60.0]).unwrap();
        assert_eq!(samples.outliers(), Outliers { low: 1, high: 2 });
        assert_eq!((samples.len(), samples.max()), (8, 60.0));
    }
}
