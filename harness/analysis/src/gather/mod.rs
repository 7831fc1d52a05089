//! Takes the rows and telemetry of a run one by one and keeps what the statistics need, by
//! cell. Summaries and comparisons are both computed from it.
//!
//! | file | what it holds |
//! |---|---|
//! | `mod` | [`Gather`], which takes rows, and [`Gathered`], the result |
//! | `batch` | the rows of a cell or of its control |
//! | `table` | samples by metric and block |
//! | `each`, `load` | what rows of either demand contribute |
//! | `counting` | which rows count |
//! | `failures` | failed invocations by outcome |

mod batch;
mod counting;
mod each;
mod failures;
mod load;
mod table;

use std::collections::{BTreeMap, HashMap};

use lumos_model::cell::{Cell, Demand};
use lumos_model::row::Row;
use lumos_model::telemetry::BlockTelemetry;

pub(crate) use batch::{Batch, ByDemand};
pub(crate) use counting::is_overload;
pub use failures::Failure;
pub(crate) use load::{LoadTally, Period};
pub(crate) use table::Blocks;

/// Takes rows and telemetry, in any order of the rows.
#[derive(Debug, Default)]
pub struct Gather {
    rows: u64,
    cells: HashMap<Cell, GatheredCell>,
}

impl Gather {
    /// Takes a row.
    pub fn add(&mut self, row: &Row) {
        self.rows += 1;
        if !self.cells.contains_key(&row.cell) {
            self.cells.insert(row.cell.clone(), GatheredCell::new(&row.cell.demand));
        }
        let cell = self.cells.get_mut(&row.cell).expect("inserted above");
        match row.control {
            true => cell.control.add(row),
            false => cell.own.add(row),
        }
    }

    /// Takes a block's telemetry, after the block's rows.
    pub fn add_block(&mut self, block: &BlockTelemetry) {
        let cell = self.cells.get_mut(&block.cell).filter(|_| !block.control);
        if let Some(cell) = cell {
            cell.own.add_block(block);
        }
    }

    /// Everything that was taken.
    pub fn finish(self) -> Gathered {
        let mut cells: BTreeMap<Cell, GatheredCell> = self.cells.into_iter().collect();
        for cell in cells.values_mut() {
            cell.own.samples.group();
            cell.control.samples.group();
        }
        Gathered { rows: self.rows, cells }
    }
}

/// The rows and telemetry of a run, by cell.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Number of rows, failures and control included.
    pub(crate) rows: u64,
    pub(crate) cells: BTreeMap<Cell, GatheredCell>,
}

impl Gathered {
    /// The failures of all control pairs, without requests that an overload cost.
    pub(crate) fn control_failures(&self) -> Vec<Failure> {
        let failures = |cell: &GatheredCell| {
            let is_load = matches!(cell.control.by_demand, ByDemand::Load(_));
            let failures = cell.control.failures.by_outcome().into_iter();
            failures.filter(move |(outcome, _)| !(is_load && is_overload(*outcome)))
        };
        self.cells.values().flat_map(failures).map(|(_, failure)| failure).collect()
    }
}

/// The rows of one cell.
#[derive(Debug)]
pub(crate) struct GatheredCell {
    /// Those of the cell itself.
    pub own: Batch,
    /// Those of its control, if it has one: the same cell measured a second time.
    pub control: Batch,
}

impl GatheredCell {
    fn new(demand: &Demand) -> Self {
        Self { own: Batch::new(demand), control: Batch::new(demand) }
    }
}
