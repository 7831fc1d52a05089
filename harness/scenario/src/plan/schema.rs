//! Plan, cells and blocks as types.

use lumos_model::cell::Cell;
use lumos_model::row::BlockId;
use serde::{Deserialize, Serialize};

/// What a run will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Seed of the blocks' order.
    pub seed: u64,
    /// All cells of the scenario that the filter keeps, also those that cannot run.
    pub cells: Vec<PlannedCell>,
    /// The blocks of the cells that can run, in the order of their measurement.
    pub blocks: Vec<Block>,
    /// The cell of the control pair, which is measured twice. `None` if no native cell can run;
    /// the noise floor is then unknown.
    pub control: Option<Cell>,
}

/// A cell, and the reason if it cannot run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCell {
    /// The point of the experiment.
    pub cell: Cell,
    /// Why it cannot run, and how to change that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

/// A few samples of one cell, measured back to back, or one period of load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The point of the experiment.
    pub cell: Cell,
    /// Number of the block within the cell, from 0.
    pub block: u32,
    /// Position of the block in the run, from 0.
    pub order: u32,
    /// Number of samples; under load the maximum.
    pub samples: u32,
    /// Whether it is the second measurement of the control pair.
    pub control: bool,
}

impl Block {
    /// The block's key in the run directory.
    pub fn id(&self) -> BlockId {
        BlockId { cell: self.cell.clone(), block: self.block, control: self.control }
    }
}

impl Plan {
    /// The cells that can run.
    pub fn runnable(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|planned| planned.refusal.is_none()).map(|planned| &planned.cell)
    }

    /// The cells that cannot run, each with the reason.
    pub fn refused(&self) -> impl Iterator<Item = (&Cell, &str)> {
        self.cells.iter().filter_map(|planned| Some((&planned.cell, planned.refusal.as_deref()?)))
    }
}
