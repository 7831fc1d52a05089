//! Ratios to `native`, and what `native` against itself says about the machine.

use std::collections::BTreeMap;

use lumos_model::cell::{Cell, Target};
use lumos_stats::{Band, Margin, PairedBlock, RatioInterval, ratio_of_blocks};

use super::describe::ratio_plan;
use super::gather::{Blocks, Gathered};
use super::{ControlPair, NoiseFloor, Ratio};

type Cells = BTreeMap<Cell, Gathered>;

/// What is needed to judge a cell.
pub(super) struct Judge<'a> {
    pub cells: &'a Cells,
    pub floor: Option<&'a NoiseFloor>,
    pub margin: Margin,
    pub seed: u64,
}

impl Judge<'_> {
    /// The ratio to the `native` cell that differs in nothing but the target, or why
    /// there is none. `None`: this is `native`.
    pub fn ratio_to_native(
        &self,
        cell: &Cell,
        gathered: &Gathered,
    ) -> Option<Result<Ratio, String>> {
        (!cell.target.is_native()).then(|| self.ratio(cell, gathered))
    }

    fn ratio(&self, cell: &Cell, gathered: &Gathered) -> Result<Ratio, String> {
        if gathered.total.is_empty() {
            return Err("no invocation of it counts".to_owned());
        }
        let native = cell.on(native());
        let base = self.cells.get(&native).ok_or_else(|| {
            format!("native was not measured with {} isolation and this input", cell.isolation)
        })?;
        if base.total.is_empty() {
            return Err("no invocation of native counts".to_owned());
        }
        let blocks = paired(&base.total, &gathered.total);
        let interval = ratio(&blocks, self.seed).map_err(|error| error.to_string())?;
        Ok(Ratio {
            ratio: interval.estimate(),
            ci95: ends(&interval),
            verdict: self.band(&native).verdict(&interval).into(),
            paired_blocks: blocks.len(),
        })
    }

    /// What counts as no difference to `native`: its own control pair decides, or else
    /// the run's widest.
    fn band(&self, native: &Cell) -> Band {
        let floor = self.floor.map_or(0.0, |floor| {
            let own = floor.pairs.iter().find(|pair| pair.cell == *native);
            own.unwrap_or(&floor.widest).floor
        });
        let width = Margin::new(floor.max(self.margin.fraction())).unwrap_or(self.margin);
        Band::new(width, lumos_stats::NoiseFloor::UNKNOWN)
    }
}

/// The noise floor of all control pairs, or why there is none.
pub(super) fn noise_floor(cells: &Cells, seed: u64) -> Result<NoiseFloor, String> {
    let mut pairs = Vec::new();
    let mut why = "the run has no control pair (native against itself)".to_owned();
    for (cell, gathered) in cells.iter().filter(|(_, g)| !g.control.is_empty()) {
        match control_pair(cell, gathered, seed) {
            Ok(pair) => pairs.push(pair),
            Err(error) => why = error.to_string(),
        }
    }
    let widest = pairs.iter().max_by(|a, b| a.floor.total_cmp(&b.floor)).cloned().ok_or(why)?;
    Ok(NoiseFloor { widest, pairs })
}

fn control_pair(
    cell: &Cell,
    gathered: &Gathered,
    seed: u64,
) -> Result<ControlPair, lumos_stats::Error> {
    let blocks = paired(&gathered.total, &gathered.control);
    let interval = ratio(&blocks, seed)?;
    let floor = lumos_stats::NoiseFloor::from_control(&interval)?;
    Ok(ControlPair {
        cell: cell.clone(),
        ratio: interval.estimate(),
        ci95: ends(&interval),
        floor: floor.fraction(),
    })
}

/// Block k of one with block k of the other, where both have samples. Within a block
/// the samples are sorted, so that the order of the rows does not matter.
fn paired(base: &Blocks, candidate: &Blocks) -> Vec<PairedBlock> {
    let sorted = |block: &Vec<f64>| {
        let mut samples = block.clone();
        samples.sort_unstable_by(f64::total_cmp);
        samples
    };
    base.iter()
        .filter_map(|(number, base)| {
            let candidate = sorted(candidate.get(number)?);
            Some(PairedBlock { base: sorted(base), candidate })
        })
        .collect()
}

fn ratio(blocks: &[PairedBlock], seed: u64) -> Result<RatioInterval, lumos_stats::Error> {
    let samples = blocks.iter().map(|block| block.base.len() + block.candidate.len()).sum();
    ratio_of_blocks(blocks, &ratio_plan(samples, seed))
}

fn native() -> Target {
    "native".parse().expect("a plain word")
}

fn ends(interval: &RatioInterval) -> [f64; 2] {
    [interval.lo(), interval.hi()]
}
