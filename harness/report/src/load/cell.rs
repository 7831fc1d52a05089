//! A cell under load with its numbers.

use lumos_analysis::summary::{CellSummary, LoadNumbers, Summary};
use lumos_model::cell::{Cell, Demand, LoadPoint};

use crate::order::target_order;

#[derive(Clone, Copy, Debug)]
pub(super) struct LoadCell<'a> {
    pub summary: &'a CellSummary,
    pub numbers: &'a LoadNumbers,
    /// The load.
    pub point: &'a LoadPoint,
}

impl<'a> LoadCell<'a> {
    /// The cells under load of a summary.
    pub fn all(summary: &'a Summary) -> Vec<Self> {
        let cells = summary.load_cells();
        cells
            .filter_map(|(summary, numbers)| {
                Some(Self { summary, numbers, point: summary.cell.load()? })
            })
            .collect()
    }

    pub fn cell(self) -> &'a Cell {
        &self.summary.cell
    }

    /// The cell whose load differs by `change`.
    pub fn with(self, change: impl FnOnce(&mut LoadPoint)) -> Cell {
        let mut point = self.point.clone();
        change(&mut point);
        Cell { demand: Demand::Load(point), ..self.cell().clone() }
    }

    /// Targets in their usual order; of each target the loads from the lightest to the
    /// heaviest.
    pub fn order(self) -> impl Ord + 'a {
        let cell = self.cell();
        let Self { point, .. } = self;
        (target_order(&cell.target), cell.isolation, &point.traffic, point.keep_alive)
    }
}
