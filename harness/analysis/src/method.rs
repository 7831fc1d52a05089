//! The settings of the statistics: levels, numbers of resamples, and how few samples are
//! too few.

use lumos_stats::{Bootstrap, Level};

/// Level of a run's intervals and of all noise floors.
pub(crate) const LEVEL: Level = Level::P95;

/// A cell with fewer samples is flagged: its numbers are a hint and no result.
pub const FEW_SAMPLES: usize = 5;

/// With fewer paired blocks a difference has no interval.
pub(crate) const FEWEST_PAIRS: usize = 5;

/// For what readers compare: totals, cold starts, ratios.
const RESAMPLES: u32 = 10_000;
/// The least that intervals are computed from (Davison and Hinkley, "Bootstrap Methods and
/// Their Application", 1997).
const FEWEST_RESAMPLES: u32 = 1_000;
/// Bound on resamples times samples of a ratio. Above 4,000 samples on both sides together,
/// 10,000 resamples would take seconds, and large samples need fewer.
const MOST_DRAWS: usize = 40_000_000;

/// The plan for values that readers compare.
pub(crate) fn full_plan(seed: u64) -> Bootstrap {
    plan(RESAMPLES, seed)
}

/// The plan for values that readers look up, such as the phases, of which a cell has a dozen.
pub(crate) fn quick_plan(seed: u64) -> Bootstrap {
    plan(FEWEST_RESAMPLES, seed)
}

/// The plan for a ratio over blocks that hold `samples` samples in all.
pub(crate) fn ratio_plan(samples: usize, seed: u64) -> Bootstrap {
    let affordable = u32::try_from(MOST_DRAWS / samples.max(1)).unwrap_or(u32::MAX);
    plan(affordable.clamp(FEWEST_RESAMPLES, RESAMPLES), seed)
}

/// The plan for the noise floors of a comparison. The runs may have different seeds, so it has
/// its own.
pub(crate) fn floor_plan() -> Bootstrap {
    Bootstrap::default()
}

fn plan(resamples: u32, seed: u64) -> Bootstrap {
    Bootstrap::new(LEVEL, resamples, seed).expect("1,000 resamples are enough at 95 %")
}
