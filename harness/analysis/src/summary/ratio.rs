//! Ratios to `native`.

use lumos_model::cell::{Cell, Isolation, Target};
use lumos_stats::{Band, Margin, NoiseFloor, Verdict};
use serde::{Deserialize, Serialize};

use super::comparable::Comparable;
use super::control::ControlPairs;

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

/// Why a cell has no ratio to `native`.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoRatio {
    #[error("no invocation of it counts")]
    NotCounted,
    #[error("native was not measured with {0} isolation and this input")]
    NativeNotMeasured(Isolation),
    #[error("no invocation of native counts")]
    NativeNotCounted,
    #[error(transparent)]
    Statistics(#[from] lumos_stats::Error),
}

/// Judges the cells of a run against `native`.
pub(super) struct Judge<'a> {
    pub cells: &'a Comparable<'a>,
    pub control: Option<&'a ControlPairs>,
    pub margin: Margin,
}

impl Judge<'_> {
    /// The ratio to the `native` cell that differs in nothing but the target. `None`: the
    /// cell is that one.
    pub fn ratio_to_native(&self, cell: &Cell) -> Option<Result<Ratio, NoRatio>> {
        (!cell.target.is_native()).then(|| self.ratio(cell))
    }

    fn ratio(&self, cell: &Cell) -> Result<Ratio, NoRatio> {
        let own = self.cells.get(cell).filter(|totals| !totals.own.is_empty());
        let own = own.ok_or(NoRatio::NotCounted)?;
        let native = cell.on(native());
        let base = self.cells.get(&native).ok_or(NoRatio::NativeNotMeasured(cell.isolation))?;
        if base.own.is_empty() {
            return Err(NoRatio::NativeNotCounted);
        }
        let found = self.cells.ratio(&base.own, &own.own)?;
        let floor = self.control.map_or(NoiseFloor::UNKNOWN, |control| control.floor(&native));
        Ok(Ratio {
            ratio: found.interval.estimate(),
            ci95: found.ends(),
            verdict: Band::new(self.margin, floor).verdict(&found.interval),
            paired_blocks: found.blocks,
        })
    }
}

fn native() -> Target {
    "native".parse().expect("a plain word")
}
