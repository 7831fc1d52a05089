//! The cells of a run by the blocks that they are compared by.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lumos_model::cell::Cell;
use lumos_stats::{PairedBlock, RatioInterval, Samples, ratio_of_blocks};

use crate::gather::{Batch, Blocks, ByDemand, GatheredCell};
use crate::method::ratio_plan;
use crate::metric::Metric;
use crate::pairing::paired;

/// The totals of all cells, by block.
pub(super) struct Comparable<'a> {
    cells: BTreeMap<&'a Cell, Totals<'a>>,
    seed: u64,
}

/// The totals of a cell and of its control.
pub(super) struct Totals<'a> {
    pub own: Blocks<'a>,
    pub control: Blocks<'a>,
}

impl<'a> Comparable<'a> {
    pub fn new(cells: &'a BTreeMap<Cell, GatheredCell>, seed: u64) -> Self {
        let totals = |gathered: &'a GatheredCell| Totals {
            own: totals(&gathered.own),
            control: totals(&gathered.control),
        };
        Self { cells: cells.iter().map(|(cell, of)| (cell, totals(of))).collect(), seed }
    }

    /// The totals of `cell`, if it was measured.
    pub fn get(&self, cell: &Cell) -> Option<&Totals<'a>> {
        self.cells.get(cell)
    }

    /// The cells that have a control.
    pub fn controlled(&self) -> impl Iterator<Item = (&'a Cell, &Totals<'a>)> {
        let cells = self.cells.iter().map(|(cell, totals)| (*cell, totals));
        cells.filter(|(_, totals)| !totals.control.is_empty())
    }

    /// The seed of all intervals.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The ratio of `candidate` to `base` over the blocks that both have.
    pub fn ratio(
        &self,
        base: &Blocks,
        candidate: &Blocks,
    ) -> Result<PairedRatio, lumos_stats::Error> {
        let blocks = paired(base, candidate);
        let samples = |block: &PairedBlock| block.base.len() + block.candidate.len();
        let plan = ratio_plan(blocks.iter().map(samples).sum(), self.seed);
        Ok(PairedRatio { interval: ratio_of_blocks(&blocks, &plan)?, blocks: blocks.len() })
    }
}

/// A ratio over paired blocks.
pub(super) struct PairedRatio {
    pub interval: RatioInterval,
    /// Number of pairs.
    pub blocks: usize,
}

impl PairedRatio {
    /// Both ends of the interval.
    pub fn ends(&self) -> [f64; 2] {
        [self.interval.lo(), self.interval.hi()]
    }
}

/// The totals that a cell is compared by. Requests of a block share a queue, so they are not
/// independent: under load a block counts once, with its median.
fn totals(batch: &Batch) -> Blocks<'_> {
    let blocks = batch.by_block(Metric::Total);
    match batch.by_demand {
        ByDemand::Each => blocks,
        ByDemand::Load(_) => blocks.into_iter().filter_map(median).collect(),
    }
}

fn median<'a>((block, values): (u32, Cow<'_, [f64]>)) -> Option<(u32, Cow<'a, [f64]>)> {
    let samples = Samples::new(values.iter().copied()).ok()?;
    Some((block, vec![samples.median()].into()))
}
