//! From a scenario to cells and blocks. Pure: the same scenario, hosts and filter give
//! the same plan.

use std::time::Duration;

use lumos_model::cell::{Cell, Demand, Isolation, Start, Storage, Target};
use lumos_model::row::BlockId;
use serde::{Deserialize, Serialize};

use crate::hosts::{self, Host};
use crate::scenario::{Matrix, Sampling, Scenario, Targets};
use crate::selector::Selector;
use crate::shuffle::shuffle;

/// What a run will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Seed of the blocks' order.
    pub seed: u64,
    /// Every cell of the scenario that the filter keeps, those that cannot run too.
    pub cells: Vec<PlannedCell>,
    /// The blocks of the cells that can run, in the order of their measurement.
    pub blocks: Vec<Block>,
    /// The cell that is measured twice, native against native; `None`: no native cell
    /// can run, so the noise floor stays unknown.
    pub control: Option<Cell>,
}

/// A cell, and why it cannot run if it cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCell {
    /// The point of the experiment.
    pub cell: Cell,
    /// Why it is not measured, and what to do about that.
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
    /// How many samples; under load at most.
    pub samples: u32,
    /// Whether it belongs to the control pair (`native` again).
    pub control: bool,
}

/// What a plan takes, as far as it can be known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Number of blocks.
    pub blocks: u32,
    /// Samples in all blocks that are not under load, without warm-up.
    pub samples: u64,
    /// Invocations that make instances warm.
    pub warmups: u64,
    /// Pauses that the scenario declares: a run cannot be shorter. With a budget, a
    /// block's share ends with it.
    pub gaps: Duration,
    /// With a budget: what all blocks may take together, gaps included, but for the
    /// sample during which a block's budget ends.
    pub budget: Option<Duration>,
    /// How long requests are sent in all blocks under load together, unless the cap of
    /// requests ends them before.
    pub load: Duration,
}

impl Block {
    /// The block's name in the run directory.
    pub fn id(&self) -> BlockId {
        BlockId { cell: self.cell.clone(), block: self.block, control: self.control }
    }
}

impl Plan {
    /// Expands the matrix of `scenario` into cells, checks each against the hosts, and
    /// shuffles the blocks of those that can run.
    pub fn new(scenario: &Scenario, hosts: &[Host], filter: &Selector) -> Self {
        let cells: Vec<_> = expand(scenario, hosts)
            .filter(|cell| filter.matches(cell))
            .map(|cell| PlannedCell { refusal: refusal(&cell, scenario, hosts), cell })
            .collect();
        let runnable = || cells.iter().filter(|c| c.refusal.is_none()).map(|c| &c.cell);
        let control = control(runnable()).cloned();
        let blocks = shuffled_blocks(runnable(), scenario);
        Self { seed: scenario.seed, cells, blocks, control }
    }

    /// The cells that can run.
    pub fn runnable(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|planned| planned.refusal.is_none()).map(|planned| &planned.cell)
    }

    /// The cells that cannot run, with the reason.
    pub fn refused(&self) -> impl Iterator<Item = (&Cell, &str)> {
        self.cells.iter().filter_map(|planned| Some((&planned.cell, planned.refusal.as_deref()?)))
    }

    /// What the plan takes.
    pub fn estimate(&self, scenario: &Scenario) -> Estimate {
        let mut estimate = Estimate {
            blocks: self.blocks.len() as u32,
            samples: 0,
            warmups: 0,
            gaps: Duration::ZERO,
            budget: scenario.budget.map(|budget| budget.0 * self.blocks.len() as u32),
            load: Duration::ZERO,
        };
        for block in &self.blocks {
            if block.cell.load().is_some() {
                estimate.load += scenario.load.as_ref().map_or(Duration::ZERO, |l| l.duration.0);
                continue;
            }
            estimate.samples += u64::from(block.samples);
            if block.cell.start().is_cold() {
                let gaps = scenario.gap.0 * block.samples;
                estimate.gaps += scenario.budget.map_or(gaps, |budget| gaps.min(budget.0));
            } else {
                estimate.warmups += u64::from(scenario.warmup);
            }
        }
        estimate
    }
}

/// The product of the axes, in the order of the scenario's lists.
fn expand(scenario: &Scenario, hosts: &[Host]) -> impl Iterator<Item = Cell> {
    let matrix = &scenario.matrix;
    let mut cells = Vec::new();
    let targets = match &matrix.targets {
        Targets::Named(targets) => targets.clone(),
        Targets::All => all_targets(hosts),
    };
    for function in &matrix.functions {
        for &size in &matrix.sizes {
            for target in &targets {
                for &isolation in &matrix.isolation {
                    cells.extend(demands(scenario).map(|(storage, demand)| Cell {
                        function: function.clone(),
                        size,
                        target: target.clone(),
                        isolation,
                        storage,
                        demand,
                    }));
                }
            }
        }
    }
    cells.into_iter()
}

/// What each combination of function, size, target and isolation is asked for.
fn demands(scenario: &Scenario) -> impl Iterator<Item = (Storage, Demand)> {
    let Matrix { start, storage, .. } = &scenario.matrix;
    let demands: Vec<(Storage, Demand)> = match &scenario.load {
        None => start
            .iter()
            .flat_map(|start| storage.iter().map(|storage| (*storage, Demand::Each(*start))))
            .collect(),
        Some(load) => storage
            .iter()
            .flat_map(|storage| {
                load.points().into_iter().map(|point| (*storage, Demand::Load(point)))
            })
            .collect(),
    };
    demands.into_iter()
}

fn all_targets(hosts: &[Host]) -> Vec<Target> {
    let capabilities = hosts.iter().filter_map(|host| host.result.as_ref().ok());
    capabilities.flat_map(|known| &known.targets).map(|known| known.target.clone()).collect()
}

/// Why `cell` is not measured.
fn refusal(cell: &Cell, scenario: &Scenario, hosts: &[Host]) -> Option<String> {
    if let Some(exclude) = scenario.exclude.iter().find(|exclude| exclude.cells.matches(cell)) {
        return Some(format!("excluded by the scenario: {}", exclude.reason));
    }
    match hosts::capability(hosts, &cell.target) {
        Ok(target) => target.refusal(cell.isolation, needed_start(cell), cell.storage),
        Err(reason) => Some(reason),
    }
}

/// The start that a target must know for this cell; a pool makes its instances anew.
fn needed_start(cell: &Cell) -> Start {
    match (cell.start(), cell.isolation) {
        (Start::Mixed, Isolation::Process) => Start::ColdProcess,
        (Start::Mixed, Isolation::Thread) => Start::ColdInstance,
        (start, _) => start,
    }
}

/// The first native warm cell, or else the first native one.
fn control<'c>(cells: impl Iterator<Item = &'c Cell> + Clone) -> Option<&'c Cell> {
    let mut native = cells.filter(|cell| cell.target.is_native());
    native.clone().find(|cell| cell.start() == Start::Warm).or_else(|| native.next())
}

/// The blocks of `cells` and of their control, in the order of the scenario's seed. A
/// report asks again, to see whether a run kept to it.
pub fn shuffled_blocks<'c>(
    cells: impl Iterator<Item = &'c Cell> + Clone,
    scenario: &Scenario,
) -> Vec<Block> {
    let control = control(cells.clone());
    let mut blocks: Vec<Block> = cells
        .map(|cell| (cell, false))
        .chain(control.map(|cell| (cell, true)))
        .flat_map(|(cell, control)| blocks_of(cell, control, scenario))
        .collect();
    shuffle(&mut blocks, scenario.seed);
    for (block, order) in blocks.iter_mut().zip(0..) {
        block.order = order;
    }
    blocks
}

/// All blocks of a cell, not yet ordered.
fn blocks_of(cell: &Cell, control: bool, scenario: &Scenario) -> impl Iterator<Item = Block> {
    let Sampling { repetitions, block: length } = scenario.sampling(cell.start());
    let most = scenario.load.as_ref().filter(|_| cell.load().is_some()).map(|load| load.requests);
    (0..repetitions.div_ceil(length)).map(move |block| Block {
        cell: cell.clone(),
        block,
        order: 0,
        samples: most.unwrap_or(length.min(repetitions - block * length)),
        control,
    })
}
