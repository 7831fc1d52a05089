//! What a run's rows say, cell by cell: the content of `summary.json`.
//!
//! | file | what it does |
//! |---|---|
//! | `mod` | the file's schema |
//! | [`gather`] | takes rows one by one and sorts their numbers by cell |
//! | `describe` | percentiles and intervals of one cell |
//! | `compare` | ratios to `native` and the noise floor |
//! | [`load`] | the same for cells under load |
//!
//! The same rows and seed give the same summary to the last digit, in whatever order
//! the rows come.

mod compare;
mod describe;
pub mod gather;
pub mod load;

use std::collections::BTreeMap;

use lumos_model::cell::Cell;
use lumos_model::phase::Phase;
use lumos_model::row::{Outcome, Row, Taint};
use serde::{Deserialize, Serialize};

pub use gather::Gather;
pub use load::LoadSummary;

/// Below this many samples a cell is flagged: its numbers are shown and prove nothing.
pub const FEW_SAMPLES: usize = 5;

/// All that is computed from a run's rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of the file format.
    pub schema: u32,
    /// Seed of the bootstrap; with the same rows it gives the same file.
    pub seed: u64,
    /// The smallest relative difference to `native` that counts as one, when the noise
    /// floor is smaller: 0.01 is 1 %.
    pub margin: f64,
    /// How many rows were read, failures and control included.
    pub rows: u64,
    /// How far this machine's `native` differs from itself; absent without a control
    /// pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_floor: Option<NoiseFloor>,
    /// Why there is no noise floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_no_noise_floor: Option<String>,
    /// The cells, in the order of their names, but for those under load.
    pub cells: Vec<CellSummary>,
    /// The cells under load, in the order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub load: Vec<LoadSummary>,
}

impl Summary {
    /// Computes the summary of a run's rows.
    pub fn from_rows(rows: impl Iterator<Item = Row>, seed: u64) -> Summary {
        let mut gather = Gather::default();
        rows.for_each(|row| gather.add(&row));
        gather.finish(seed)
    }

    /// How many cells there are, under load or not.
    pub fn cell_count(&self) -> usize {
        self.cells.len() + self.load.len()
    }

    /// All cells, under load or not.
    pub fn all_cells(&self) -> impl Iterator<Item = &Cell> {
        let under_load = self.load.iter().map(|load| &load.cell);
        self.cells.iter().map(|cell| &cell.cell).chain(under_load)
    }
}

/// The numbers of one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellSummary {
    /// The point of the experiment.
    pub cell: Cell,
    /// Samples that the numbers stand on: ended well, with the right start kind.
    pub n: usize,
    /// Blocks that these samples come from.
    pub blocks: usize,
    /// Whether `n` is below [`FEW_SAMPLES`].
    pub few_samples: bool,
    /// Failed invocations, by how they ended.
    pub failures: BTreeMap<Outcome, Failure>,
    /// Invocations that were served with another start kind than the cell's.
    pub wrong_start: usize,
    /// Samples of the `n` that were measured while something disturbed the machine. They
    /// stay in.
    #[serde(default)]
    pub tainted: usize,
    /// The same by what it was; a sample may have several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub taints: BTreeMap<Taint, usize>,
    /// Samples of `total` beyond Tukey's fences. They are counted and stay in.
    pub outliers: usize,
    /// From the intended arrival to the response; absent when `n` is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Metric>,
    /// Provision, load, compile and instantiate together; only in cold cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cold_start: Option<Metric>,
    /// The phases that occurred in at least one sample; a sample without the phase
    /// counts as 0 ns.
    pub phases: BTreeMap<Phase, Metric>,
    /// CPU time of the instance, over the samples that have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Metric>,
    /// Median peak memory of the instance's cgroup, over the samples that have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// Median size of the guest's linear memory, over the samples that have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear_memory_bytes: Option<u64>,
    /// `total` against that of `native`; absent for `native` itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio_to_native: Option<Ratio>,
    /// Why there is no ratio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_no_ratio: Option<String>,
}

impl CellSummary {
    /// How many invocations failed.
    pub fn failed(&self) -> usize {
        self.failures.values().map(|failure| failure.count).sum()
    }
}

/// The failures of one kind in one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// How many.
    pub count: usize,
    /// What the first one said, by block and position in the block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// A quantity in nanoseconds, rounded to whole ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// The median.
    pub median_ns: u64,
    /// The 95th percentile, interpolated; with few samples close to the largest one.
    pub p95_ns: u64,
    /// The 99th percentile, likewise.
    pub p99_ns: u64,
    /// The 95 % bootstrap interval of the median.
    pub ci95_ns: [u64; 2],
}

/// A ratio of medians: above 1, the cell takes longer than `native`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// The ratio.
    pub ratio: f64,
    /// Its 95 % bootstrap interval over paired blocks.
    pub ci95: [f64; 2],
    /// What the interval says, given margin and noise floor.
    pub verdict: Verdict,
    /// Blocks that both cells have.
    pub paired_blocks: usize,
}

/// One of four words for a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Takes less time.
    Faster,
    /// Takes more time.
    Slower,
    /// Any difference is within margin and noise.
    Equivalent,
    /// The interval does not decide: measure more.
    Unsure,
}

impl From<lumos_stats::Verdict> for Verdict {
    fn from(verdict: lumos_stats::Verdict) -> Self {
        match verdict {
            lumos_stats::Verdict::Faster => Self::Faster,
            lumos_stats::Verdict::Slower => Self::Slower,
            lumos_stats::Verdict::Equivalent => Self::Equivalent,
            lumos_stats::Verdict::Unsure => Self::Unsure,
        }
    }
}

/// What the control pairs say: `native` measured twice, as base and as candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseFloor {
    /// The widest of the pairs; it also holds for cells that have no pair of their own.
    #[serde(flatten)]
    pub widest: ControlPair,
    /// All pairs; a ratio whose `native` cell has one is judged by that one.
    pub pairs: Vec<ControlPair>,
}

/// One cell against itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlPair {
    /// The cell that was measured twice.
    pub cell: Cell,
    /// The ratio of its medians, control over cell.
    pub ratio: f64,
    /// The ratio's 95 % bootstrap interval over paired blocks.
    pub ci95: [f64; 2],
    /// The interval's greatest distance from 1, as a fraction: 0.018 is 1.8 %.
    pub floor: f64,
}
