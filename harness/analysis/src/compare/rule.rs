//! What makes an interval a verdict.

use lumos_stats::{Band, Margin, NoiseFloor, RatioInterval, Verdict};

use super::noise::MetricNoise;

/// On a machine with a higher noise floor nothing is shown to be equal.
const WIDEST_EQUIVALENCE: f64 = 0.10;

/// The rule for one metric.
///
/// A change needs three things: its whole interval lies beyond the margin, and beyond the
/// shift of the unchanged `native` between the runs, and its estimate lies beyond the noise
/// floor. (To ask that the whole interval lie beyond the floor would count the same noise
/// twice: the floor is the far end of an interval of `native` over `native`.)
///
/// Equivalent is an interval that lies within margin or noise floor, of which more than
/// [`WIDEST_EQUIVALENCE`] does not count.
pub(super) struct Rule {
    change: Band,
    same: Band,
    floor: NoiseFloor,
}

impl Rule {
    pub fn new(margin: Margin, noise: &MetricNoise) -> Self {
        let shift = noise.shift.map_or(NoiseFloor::UNKNOWN, NoiseFloor::of_ratio);
        Self {
            change: Band::new(margin, shift),
            same: Band::new(margin, noise.floor.at_most(WIDEST_EQUIVALENCE)),
            floor: noise.floor,
        }
    }

    pub fn verdict(&self, found: &RatioInterval) -> Verdict {
        let estimate = found.estimate();
        let is_beyond_floor = estimate.max(1.0 / estimate) > 1.0 + self.floor.fraction();
        match (self.change.verdict(found), self.same.verdict(found)) {
            (change @ (Verdict::Slower | Verdict::Faster), _) if is_beyond_floor => change,
            (_, Verdict::Equivalent) => Verdict::Equivalent,
            _ => Verdict::Unsure,
        }
    }
}
