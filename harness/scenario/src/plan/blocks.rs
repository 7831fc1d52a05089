//! The blocks of all cells in their order, and the control pair.

use lumos_model::cell::{Cell, Start};

use super::schema::Block;
use super::shuffle::shuffle;
use crate::scenario::{Sampling, Scenario};

/// The cell of the control pair: the first native warm cell, or else the first native one.
pub(super) fn control<'c>(cells: impl Iterator<Item = &'c Cell> + Clone) -> Option<&'c Cell> {
    let mut native = cells.filter(|cell| cell.target.is_native());
    native.clone().find(|cell| cell.start() == Start::Warm).or_else(|| native.next())
}

/// The blocks of `cells` and of their control, in the order of the scenario's seed. A report
/// calls this again to check that a run kept the order.
pub fn shuffled_blocks<'c>(
    cells: impl Iterator<Item = &'c Cell> + Clone,
    scenario: &Scenario,
) -> Vec<Block> {
    let control = control(cells.clone());
    let control_blocks = control.into_iter().flat_map(|cell| blocks_of(cell, scenario));
    let mut blocks: Vec<Block> = cells
        .flat_map(|cell| blocks_of(cell, scenario))
        .chain(control_blocks.map(|block| Block { control: true, ..block }))
        .collect();
    shuffle(&mut blocks, scenario.seed);
    for (block, order) in blocks.iter_mut().zip(0..) {
        block.order = order;
    }
    blocks
}

/// All blocks of a cell, not yet ordered.
fn blocks_of(cell: &Cell, scenario: &Scenario) -> impl Iterator<Item = Block> {
    let Sampling { repetitions, block: length } = scenario.sampling(cell.start());
    let most = scenario.load.as_ref().filter(|_| cell.load().is_some()).map(|load| load.requests);
    (0..repetitions.div_ceil(length)).map(move |block| Block {
        cell: cell.clone(),
        block,
        order: 0,
        samples: most.unwrap_or(length.min(repetitions - block * length)),
        control: false,
    })
}
