//! The rows of a cell, or of its control.

use std::collections::BTreeMap;

use lumos_model::cell::Demand;
use lumos_model::row::{Row, Taint};
use lumos_model::telemetry::BlockTelemetry;

use super::counting::Counting;
use super::each;
use super::failures::Failures;
use super::load::{self, LoadTally};
use super::table::{Blocks, SampleTable};
use crate::metric::Metric;

/// What is kept of the rows: the samples of the invocations that count, and counts of the
/// others.
#[derive(Debug)]
pub(crate) struct Batch {
    pub samples: SampleTable,
    /// Rows.
    pub invocations: usize,
    /// Invocations that were served with another start kind than the cell's.
    pub wrong_start: usize,
    pub failures: Failures,
    pub taints: Taints,
    pub by_demand: ByDemand,
}

/// What is kept for one kind of demand only.
#[derive(Debug)]
pub(crate) enum ByDemand {
    /// Nothing.
    Each,
    Load(LoadTally),
}

/// Invocations that were disturbed.
#[derive(Debug, Default)]
pub(crate) struct Taints {
    /// Those with any taint.
    pub invocations: usize,
    /// Those with each taint.
    pub by_taint: BTreeMap<Taint, usize>,
}

impl Taints {
    fn add(&mut self, taints: &[Taint]) {
        self.invocations += usize::from(!taints.is_empty());
        for taint in taints {
            *self.by_taint.entry(*taint).or_default() += 1;
        }
    }
}

impl Batch {
    pub fn new(demand: &Demand) -> Self {
        let by_demand = match demand {
            Demand::Each(_) => ByDemand::Each,
            Demand::Load(_) => ByDemand::Load(LoadTally::default()),
        };
        Self {
            samples: SampleTable::default(),
            invocations: 0,
            wrong_start: 0,
            failures: Failures::default(),
            taints: Taints::default(),
            by_demand,
        }
    }

    pub fn add(&mut self, row: &Row) {
        self.invocations += 1;
        let counting = Counting::of(row);
        match counting {
            Counting::Counted => self.add_sample(row),
            Counting::WrongStart => self.wrong_start += 1,
            Counting::Failed => self.failures.add(row),
        }
        match &mut self.by_demand {
            ByDemand::Each if counting == Counting::Counted => self.taints.add(&row.taints),
            ByDemand::Each => {}
            ByDemand::Load(load) => {
                self.taints.add(&row.taints);
                load.add(row);
            }
        }
    }

    fn add_sample(&mut self, row: &Row) {
        match self.by_demand {
            ByDemand::Each => self.samples.push(row.block, each::values(row)),
            ByDemand::Load(_) => self.samples.push(row.block, load::values(row)),
        }
    }

    /// Takes a block's telemetry. Only under load does it say more than the rows.
    pub fn add_block(&mut self, block: &BlockTelemetry) {
        if let (ByDemand::Load(load), Some(pool)) = (&mut self.by_demand, &block.pool) {
            load.pool.add(block, pool);
        }
    }

    /// The values of `metric` by block, without blocks that have none.
    pub fn by_block(&self, metric: Metric) -> Blocks<'_> {
        match (metric, &self.by_demand) {
            (Metric::PerResponse, ByDemand::Load(load)) => load.per_response(),
            _ => self.samples.by_block(metric),
        }
    }
}
