//! How far `native` differs from itself: the noise floor of a run.

use lumos_model::cell::Cell;
use lumos_stats::NoiseFloor;
use serde::{Deserialize, Serialize};

use super::comparable::{Comparable, Totals};

/// The control pairs of a run: `native` measured twice, as base and as candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlPairs {
    /// The pair with the highest floor. It holds for cells that have no pair of their own.
    #[serde(flatten)]
    pub widest: ControlPair,
    /// All pairs. A ratio is judged by the pair of its own `native` cell, if there is one.
    pub pairs: Vec<ControlPair>,
}

/// One cell against itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlPair {
    /// The cell that was measured twice.
    pub cell: Cell,
    /// The ratio of its medians, control over cell.
    pub ratio: f64,
    /// The ratio's 95 % bootstrap interval over paired blocks.
    pub ci95: [f64; 2],
    /// The interval's greatest distance from 1.
    pub floor: NoiseFloor,
}

/// Why a run has no noise floor.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoFloor {
    #[error("the run has no control pair (native against itself)")]
    NoPair,
    #[error(transparent)]
    Statistics(#[from] lumos_stats::Error),
}

impl ControlPairs {
    /// All control pairs of a run.
    pub(super) fn of(cells: &Comparable) -> Result<Self, NoFloor> {
        let mut pairs = Vec::new();
        let mut why = NoFloor::NoPair;
        for (cell, totals) in cells.controlled() {
            match ControlPair::of(cells, cell, totals) {
                Ok(pair) => pairs.push(pair),
                Err(error) => why = error.into(),
            }
        }
        let floor = |pair: &ControlPair| pair.floor.fraction();
        let widest = pairs.iter().max_by(|a, b| floor(a).total_cmp(&floor(b))).cloned();
        Ok(Self { widest: widest.ok_or(why)?, pairs })
    }

    /// The noise floor of the ratios to `native`: that of its own pair, or else the highest.
    pub(super) fn floor(&self, native: &Cell) -> NoiseFloor {
        let own = self.pairs.iter().find(|pair| pair.cell == *native);
        own.unwrap_or(&self.widest).floor
    }
}

impl ControlPair {
    fn of(cells: &Comparable, cell: &Cell, of: &Totals) -> Result<Self, lumos_stats::Error> {
        let found = cells.ratio(&of.own, &of.control)?;
        Ok(Self {
            cell: cell.clone(),
            ratio: found.interval.estimate(),
            ci95: found.ends(),
            floor: NoiseFloor::from_control(&found.interval)?,
        })
    }
}
