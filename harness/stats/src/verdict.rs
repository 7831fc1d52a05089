//! From the interval of a ratio to a verdict.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::interval::Reliability;
use crate::ratio::RatioInterval;

/// The smallest relative difference that is reported; chosen by the user. 0.01 is 1 %.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Margin(f64);

impl Default for Margin {
    /// 1 %.
    fn default() -> Self {
        Self(0.01)
    }
}

impl TryFrom<f64> for Margin {
    type Error = Error;
    fn try_from(fraction: f64) -> Result<Self, Error> {
        Self::new(fraction)
    }
}

impl From<Margin> for f64 {
    fn from(margin: Margin) -> f64 {
        margin.0
    }
}

impl Margin {
    /// A margin as a fraction.
    ///
    /// # Errors
    /// [`Error::BadMargin`] if negative, NaN or infinite.
    pub fn new(fraction: f64) -> Result<Self, Error> {
        if fraction.is_finite() && fraction >= 0.0 {
            Ok(Self(fraction))
        } else {
            Err(Error::BadMargin(fraction))
        }
    }

    /// The margin as a fraction.
    #[must_use]
    pub fn fraction(self) -> f64 {
        self.0
    }
}

/// The relative difference that this machine shows between a cell and itself; measured by a control
/// pair. 0.004 is 0.4 %.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NoiseFloor(f64);

impl NoiseFloor {
    /// No control pair was measured, so the noise is unknown.
    pub const UNKNOWN: Self = Self(0.0);

    /// The floor of a control pair, in which base and candidate are the same target. It is the
    /// largest distance of the interval \[lo, hi\] from 1, as a factor less 1:
    /// max(1 / lo, hi) - 1.
    ///
    /// The formula has 1 / lo instead of 1 - lo, so that swapping the pair does not change the
    /// floor (see [`Band`]). Below 10 % the two differ by less than one percentage point.
    ///
    /// # Errors
    /// [`Error::ControlTooSmall`] if the interval is
    /// [no evidence](Reliability::TooFewSamples): it would look free of noise.
    pub fn from_control(control: &RatioInterval) -> Result<Self, Error> {
        if control.reliability() == Reliability::TooFewSamples {
            return Err(Error::ControlTooSmall);
        }
        Ok(Self(control.hi().max(1.0 / control.lo()) - 1.0))
    }

    /// A floor that was computed before, as a fraction.
    ///
    /// # Errors
    /// [`Error::BadNoiseFloor`] if negative, NaN or infinite.
    pub fn new(fraction: f64) -> Result<Self, Error> {
        if fraction.is_finite() && fraction >= 0.0 {
            Ok(Self(fraction))
        } else {
            Err(Error::BadNoiseFloor(fraction))
        }
    }

    /// The floor of an unchanged target whose ratio to itself is `ratio`:
    /// max(ratio, 1 / ratio) - 1.
    #[must_use]
    pub fn of_ratio(ratio: f64) -> Self {
        Self(ratio.max(1.0 / ratio) - 1.0)
    }

    /// The larger of two floors.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// The floor, but no more than `fraction`.
    #[must_use]
    pub fn at_most(self, fraction: f64) -> Self {
        Self(self.0.min(fraction))
    }

    /// The floor as a fraction.
    #[must_use]
    pub fn fraction(self) -> f64 {
        self.0
    }
}

/// The result of a comparison of candidate and base. [`Slower`](Self::Slower) means that the
/// candidate takes longer. For a quantity that is better when it is larger, use
/// [`swapped`](Self::swapped).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The whole interval lies below the band.
    Faster,
    /// The whole interval lies above the band.
    Slower,
    /// The whole interval lies within the band.
    Equivalent,
    /// The interval crosses an edge of the band: more blocks are needed.
    Unsure,
}

impl Verdict {
    /// The verdict with base and candidate swapped.
    #[must_use]
    pub fn swapped(self) -> Self {
        match self {
            Self::Faster => Self::Slower,
            Self::Slower => Self::Faster,
            same => same,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::Equivalent => "equivalent",
            Self::Unsure => "unsure",
        })
    }
}

/// The ratios that count as no difference: from 1 / (1 + m) to 1 + m, where m is the larger of
/// [`Margin`] and [`NoiseFloor`].
///
/// The lower edge is not 1 - m, because ratios are asymmetric: the inverse of 1.05 is 1 / 1.05, not
/// 0.95. With the reciprocal, swapping base and candidate swaps faster and slower and changes
/// nothing else. (Equivalence by an interval within a band: Schuirmann, J. Pharmacokin. Biopharm.
/// 15, 1987.)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    width: f64,
}

impl Band {
    /// The band of a margin on a machine with this noise floor.
    #[must_use]
    pub fn new(margin: Margin, floor: NoiseFloor) -> Self {
        Self { width: margin.0.max(floor.0) }
    }

    /// m: differences up to it count as none.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.width
    }

    /// The lower edge, 1 / (1 + m).
    #[must_use]
    pub fn lo(&self) -> f64 {
        1.0 / self.hi()
    }

    /// The upper edge, 1 + m.
    #[must_use]
    pub fn hi(&self) -> f64 {
        1.0 + self.width
    }

    /// Judges the ratio of candidate to base. An interval that is
    /// [no evidence](Reliability::TooFewSamples) is always [`Verdict::Unsure`].
    #[must_use]
    pub fn verdict(&self, ratio: &RatioInterval) -> Verdict {
        if ratio.reliability() == Reliability::TooFewSamples {
            Verdict::Unsure
        } else if ratio.lo() > self.hi() {
            Verdict::Slower
        } else if ratio.hi() < self.lo() {
            Verdict::Faster
        } else if self.lo() <= ratio.lo() && ratio.hi() <= self.hi() {
            Verdict::Equivalent
        } else {
            Verdict::Unsure
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interval::{Interval, Level};

    fn ratio(lo: f64, hi: f64, reliability: Reliability) -> RatioInterval {
        RatioInterval::new(Interval {
            estimate: (lo * hi).sqrt(),
            lo,
            hi,
            level: Level::P95,
            reliability,
        })
        .unwrap()
    }

    fn sound(lo: f64, hi: f64) -> RatioInterval {
        ratio(lo, hi, Reliability::Sound)
    }

    #[test]
    fn the_whole_interval_decides_the_verdict() {
        let band = Band::new(Margin::new(0.02).unwrap(), NoiseFloor(0.05));
        assert_eq!((band.lo(), band.hi()), (1.0 / 1.05, 1.05));
        for (lo, hi, expected) in [
            (1.06, 1.20, Verdict::Slower),
            (1.04, 1.20, Verdict::Unsure),
            (1.05, 1.20, Verdict::Unsure), // on the edge is not beyond it
            (0.80, 0.95, Verdict::Faster),
            (0.80, 0.953, Verdict::Unsure),  // crosses 1 / 1.05
            (0.951, 0.952, Verdict::Faster), // equivalent if the edge were 1 - m
            (0.96, 1.04, Verdict::Equivalent),
            (1.01, 1.04, Verdict::Equivalent), // a real difference within the band
            (0.50, 2.00, Verdict::Unsure),
        ] {
            assert_eq!(band.verdict(&sound(lo, hi)), expected, "[{lo}, {hi}]");
        }
    }

    #[test]
    fn the_larger_of_margin_and_floor_sets_the_band() {
        let hi = |margin, floor| Band::new(Margin(margin), NoiseFloor(floor)).hi();
        assert_eq!((hi(0.25, 0.125), hi(0.125, 0.25)), (1.25, 1.25));
        assert_eq!(hi(0.5, NoiseFloor::UNKNOWN.0), 1.5);
    }

    #[test]
    fn the_floor_is_the_farther_end_of_the_control_interval() {
        let floor = |lo, hi| NoiseFloor::from_control(&sound(lo, hi)).unwrap().fraction();
        assert!((floor(0.99, 1.03) - 0.03).abs() < 1e-12);
        assert!((floor(0.80, 1.03) - 0.25).abs() < 1e-12);
        assert!((floor(1.01, 1.03) - 0.03).abs() < 1e-12);
        assert!((floor(0.5, 0.8) - 1.0).abs() < 1e-12);
        assert_eq!(floor(1.0, 1.0), 0.0);
    }

    #[test]
    fn the_floor_of_a_ratio_is_its_distance_from_one() {
        assert_eq!(NoiseFloor::of_ratio(1.25).fraction(), 0.25);
        assert_eq!(NoiseFloor::of_ratio(0.8).fraction(), 0.25);
        let (small, large) = (NoiseFloor(0.1), NoiseFloor(0.3));
        assert_eq!((small.max(large), large.at_most(0.2)), (large, NoiseFloor(0.2)));
    }

    #[test]
    fn a_control_is_equivalent_under_its_own_floor() {
        for (lo, hi) in [(0.99, 1.03), (0.7, 1.1), (1.01, 1.02), (0.9, 0.95)] {
            let control = sound(lo, hi);
            let floor = NoiseFloor::from_control(&control).unwrap();
            // 1 / (1 / lo) may differ from lo in the last bit.
            let band = Band::new(Margin(floor.0 + 1e-12), floor);
            assert_eq!(band.verdict(&control), Verdict::Equivalent);
        }
    }

    #[test]
    fn without_evidence_there_is_no_verdict_and_no_floor() {
        let point = ratio(50.0, 50.0, Reliability::TooFewSamples);
        let band = Band::new(Margin::default(), NoiseFloor::UNKNOWN);
        assert_eq!(band.verdict(&point), Verdict::Unsure);
        assert_eq!(NoiseFloor::from_control(&point), Err(Error::ControlTooSmall));
        assert_eq!(band.verdict(&ratio(50.0, 51.0, Reliability::FewSamples)), Verdict::Slower);
    }

    #[test]
    fn rejects_bad_fractions_and_pads_words() {
        for bad in [-0.01, f64::NAN, f64::INFINITY] {
            assert!(Margin::new(bad).is_err() && NoiseFloor::new(bad).is_err());
        }
        assert_eq!(format!("{:>8}|", Verdict::Faster), "  faster|");
        assert_eq!(Verdict::Faster.swapped(), Verdict::Slower);
        assert_eq!(Verdict::Unsure.swapped(), Verdict::Unsure);
    }
}
