//! What changed between two runs of the same experiment: `lumos compare`.
//!
//! | file | what it does |
//! |---|---|
//! | `comparison` | the result, and the path from two runs to it |
//! | `side` | one of the runs |
//! | `judge` | ratios of the cells of both runs |
//! | `rule` | what makes an interval a verdict |
//! | `noise` | the noise floors within and between the runs |
//! | `unmatched` | cells that are missing or fail in one run |
//! | [`obstacles`] | what keeps two runs from being compared |
//! | `changes` | what may be the subject of the comparison |
//! | `artifacts`, `differing` | what the last two share |
//!
//! A comparison is a cell with a metric. The interval of its ratio is the exact rank interval
//! over the blocks of both runs; [`lumos_stats::ratio_of_runs`] says why the blocks are not
//! paired and why it is not a bootstrap. With m comparisons each one is made at
//! 1 - (1 - level) / m (Bonferroni), so that the chance of any false alarm in the whole table
//! stays below 1 - level, however the cells depend on each other. A change must also exceed
//! margin and noise floor.

mod artifacts;
mod changes;
mod comparison;
mod differing;
mod judge;
mod noise;
pub mod obstacles;
mod rule;
mod side;
mod unmatched;

pub use artifacts::ArtifactName;
pub use changes::Change;
pub use comparison::{Comparison, RunName};
pub use differing::Differing;
pub use judge::{CellComparison, Measured, NoEvidence, Options};
pub use noise::MetricNoise;
pub use obstacles::Obstacle;
pub use side::Side;
pub use unmatched::{Unmatched, UnmatchedKind};
