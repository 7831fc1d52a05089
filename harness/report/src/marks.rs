//! Marks before ratios.

use std::collections::BTreeSet;

use lumos_analysis::method::FEW_SAMPLES;
use lumos_analysis::summary::{Ratio, Summary};
use lumos_stats::Verdict;

use crate::grid::{EachCell, Grid};

/// A reservation about a ratio, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// Some invocations of the cell failed.
    Failures,
    /// The cell has too few samples.
    Few,
    /// There is no difference beyond noise and margin.
    Same,
    /// The interval does not decide.
    Unsure,
}

impl Mark {
    pub const ALL: [Mark; 4] = [Mark::Failures, Mark::Few, Mark::Same, Mark::Unsure];

    /// The mark of `cell` in a table. Where all cells have few samples, the table's title says
    /// so.
    pub fn of(cell: EachCell, grid: &Grid) -> Option<Mark> {
        match () {
            () if cell.summary.failed() > 0 => Some(Mark::Failures),
            () if cell.numbers.few_samples && !grid.is_all_few() => Some(Mark::Few),
            () => Mark::of_ratio(cell.summary.ratio_to_native),
        }
    }

    /// The mark of a ratio, whatever its cell.
    pub fn of_ratio(ratio: Option<Ratio>) -> Option<Mark> {
        match ratio?.verdict {
            Verdict::Equivalent => Some(Mark::Same),
            Verdict::Unsure => Some(Mark::Unsure),
            Verdict::Faster | Verdict::Slower => None,
        }
    }

    /// The character before the number.
    pub const fn sign(self) -> char {
        match self {
            Mark::Failures => '!',
            Mark::Few => '*',
            Mark::Same => '~',
            Mark::Unsure => '?',
        }
    }

    /// What a marked ratio looks like.
    pub const fn example(self) -> &'static str {
        match self {
            Mark::Failures => "!1.2x",
            Mark::Few => "*1.2x",
            Mark::Same => "~1x",
            Mark::Unsure => "?1.2x",
        }
    }

    pub fn meaning(self) -> String {
        match self {
            Mark::Failures => "some invocations failed; the value is that of the others".to_owned(),
            Mark::Few => format!("fewer than {FEW_SAMPLES} samples: a hint, not a result"),
            Mark::Same => "no difference beyond noise and margin".to_owned(),
            Mark::Unsure => "undecided: the samples allow both a difference and none".to_owned(),
        }
    }
}

/// The marks that a report on a terminal shows.
pub(crate) fn shown_marks(summary: &Summary, grids: &[Grid]) -> BTreeSet<Mark> {
    let measured = |grid: &Grid| -> Vec<Option<Mark>> {
        let cells = grid.cells().filter(|cell| cell.numbers.n > 0);
        cells.map(|cell| Mark::of(cell, grid)).collect()
    };
    let under_load = summary.load_cells().map(|(cell, _)| Mark::of_ratio(cell.ratio_to_native));
    grids.iter().flat_map(measured).chain(under_load).flatten().collect()
}
