//! The numbers of a run, cell by cell: the content of `summary.json`.
//!
//! | file | what it does |
//! |---|---|
//! | `mod` | the summary as a whole |
//! | `cell` | what all cells have |
//! | `each`, `load` | the numbers of either demand |
//! | `estimate` | a quantity with its percentiles and interval |
//! | `comparable` | the blocks that cells are compared by |
//! | `control` | the noise floor |
//! | `ratio` | ratios to `native` |
//! | `file` | the lists of cells in the file |
//! | `parallel` | computes on all cores |
//!
//! The same rows and seed give the same summary to the last digit, whatever the order of the
//! rows.

mod cell;
mod comparable;
mod control;
mod each;
mod estimate;
mod file;
mod load;
mod parallel;
mod ratio;

use lumos_model::SCHEMA;
use lumos_model::cell::{Cell, Demand, Driver, LoadPoint};
use lumos_model::row::Row;
use lumos_stats::Margin;
use serde::{Deserialize, Serialize};

pub use cell::{CellSummary, Numbers};
pub use control::{ControlPair, ControlPairs};
pub use each::{EachNumbers, Estimates};
pub use estimate::{Estimate, Quantiles};
pub use load::{Difference, LoadNumbers, Resources, Spread};
pub use ratio::Ratio;

use self::comparable::Comparable;
use self::parallel::in_parallel;
use self::ratio::Judge;
use crate::gather::{Gather, Gathered, GatheredCell};

/// Everything that is computed from the rows of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of the file format.
    pub schema: u32,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// The smallest relative difference to `native` that counts as one, when the noise floor
    /// is lower.
    pub margin: Margin,
    /// Number of rows, failures and control included.
    pub rows: u64,
    /// How far this machine's `native` differs from itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_floor: Option<ControlPairs>,
    /// Why there is no noise floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_no_noise_floor: Option<String>,
    /// The cells, in the order of their names.
    #[serde(flatten, with = "file")]
    pub cells: Vec<CellSummary>,
}

impl Summary {
    /// The summary of rows without telemetry.
    pub fn from_rows(rows: impl Iterator<Item = Row>, seed: u64) -> Self {
        let mut gather = Gather::default();
        rows.for_each(|row| gather.add(&row));
        Self::new(&gather.finish(), seed)
    }

    /// The summary of a run; `seed` is that of the bootstrap.
    pub fn new(gathered: &Gathered, seed: u64) -> Self {
        let margin = Margin::default();
        let comparable = Comparable::new(&gathered.cells, seed);
        let floor = ControlPairs::of(&comparable);
        let judge = Judge { cells: &comparable, control: floor.as_ref().ok(), margin };
        let was_measured = |(_, of): &(&Cell, &GatheredCell)| of.own.invocations > 0;
        let measured: Vec<_> = gathered.cells.iter().filter(was_measured).collect();
        let cells = in_parallel(&measured, |&(cell, of)| summarise(cell, of, &judge));
        let (noise_floor, why_no_noise_floor) = match floor {
            Ok(floor) => (Some(floor), None),
            Err(why) => (None, Some(why.to_string())),
        };
        Self {
            schema: SCHEMA,
            seed,
            margin,
            rows: gathered.rows,
            noise_floor,
            why_no_noise_floor,
            cells,
        }
    }

    /// The cells that were measured one invocation at a time.
    pub fn each_cells(&self) -> impl Iterator<Item = (&CellSummary, &EachNumbers)> {
        self.cells.iter().filter_map(|cell| Some((cell, cell.each()?)))
    }

    /// The cells under load.
    pub fn load_cells(&self) -> impl Iterator<Item = (&CellSummary, &LoadNumbers)> {
        self.cells.iter().filter_map(|cell| Some((cell, cell.load()?)))
    }
}

fn summarise(cell: &Cell, gathered: &GatheredCell, judge: &Judge) -> CellSummary {
    let mut summary = CellSummary::of(cell, gathered, judge.cells.seed());
    match judge.ratio_to_native(cell) {
        Some(Ok(ratio)) => summary.ratio_to_native = Some(ratio),
        Some(Err(why)) => summary.why_no_ratio = Some(why.to_string()),
        None => {}
    }
    if let Numbers::Load(load) = &mut summary.numbers {
        load.http_minus_direct = http_minus_direct(cell, judge.cells);
    }
    summary
}

/// The difference to the same cell with the `direct` driver; `None` for that cell itself.
fn http_minus_direct(cell: &Cell, cells: &Comparable) -> Option<Difference> {
    let point = cell.load().filter(|point| point.driver == Driver::Http)?;
    let demand = Demand::Load(LoadPoint { driver: Driver::Direct, ..point.clone() });
    let direct = Cell { demand, ..cell.clone() };
    Difference::of(&cells.get(cell)?.own, &cells.get(&direct)?.own, cells.seed())
}
