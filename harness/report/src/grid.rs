//! Cells that were measured one invocation at a time, as tables: functions by targets, one
//! table for each start kind, isolation, storage and size.

use std::collections::{BTreeMap, BTreeSet};

use lumos_analysis::summary::{CellSummary, EachNumbers, Summary};
use lumos_model::cell::{Cell, Isolation, Size, Start, Storage, Target};

use crate::info::RunInfo;
use crate::order::target_order;

/// What the cells of one table share.
type Key = (Start, Isolation, Storage, Size);

/// A cell with its numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EachCell<'a> {
    pub summary: &'a CellSummary,
    pub numbers: &'a EachNumbers,
}

impl<'a> EachCell<'a> {
    pub fn function(self) -> &'a str {
        &self.summary.cell.function
    }

    pub fn target(self) -> &'a Target {
        &self.summary.cell.target
    }
}

/// The cells of one table.
#[derive(Debug)]
pub(crate) struct Grid<'a> {
    key: Key,
    /// The rows.
    pub functions: Vec<&'a str>,
    /// The columns.
    pub targets: Vec<&'a Target>,
    cells: BTreeMap<(&'a str, &'a Target), EachCell<'a>>,
    refused: BTreeSet<(&'a str, &'a Target)>,
}

/// What a table has at a row and column.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry<'a> {
    /// A cell with numbers.
    Measured(EachCell<'a>),
    /// A cell that ran, and of which no invocation counts.
    Failed(EachCell<'a>),
    /// A cell that could not run on this machine.
    Refused,
    /// The scenario has no such cell, or the run ended before it.
    Absent,
}

/// Geometric means of the ratios to `native`, by target.
#[derive(Debug)]
pub(crate) struct Means<'a> {
    pub by_target: BTreeMap<&'a Target, f64>,
    /// Functions that they are over.
    pub functions: usize,
}

/// The tables of a summary, warm starts first.
pub(crate) fn grids<'a>(summary: &'a Summary, info: &'a RunInfo) -> Vec<Grid<'a>> {
    let mut by_key: BTreeMap<Key, Vec<EachCell>> = BTreeMap::new();
    for (summary, numbers) in summary.each_cells() {
        by_key.entry(key(&summary.cell)).or_default().push(EachCell { summary, numbers });
    }
    by_key.into_iter().map(|(key, cells)| Grid::new(key, &cells, info)).collect()
}

fn key(cell: &Cell) -> Key {
    (cell.start(), cell.isolation, cell.storage, cell.size)
}

impl<'a> Grid<'a> {
    fn new(key: Key, cells: &[EachCell<'a>], info: &'a RunInfo) -> Self {
        let cells: BTreeMap<_, _> =
            cells.iter().map(|&cell| ((cell.function(), cell.target()), cell)).collect();
        let functions: BTreeSet<&str> = cells.keys().map(|(function, _)| *function).collect();
        let targets: BTreeSet<&Target> = cells.keys().map(|(_, target)| *target).collect();
        let mut targets = Vec::from_iter(targets);
        targets.sort_by_key(|target| target_order(target));
        let refused = info.refused.iter().map(|refused| &refused.cell);
        let refused = refused.filter(|cell| self::key(cell) == key);
        let refused = refused.map(|cell| (cell.function.as_str(), &cell.target)).collect();
        Self { key, functions: functions.into_iter().collect(), targets, cells, refused }
    }

    /// What the table has at `function` and `target`.
    pub fn entry(&self, function: &str, target: &Target) -> Entry<'a> {
        match self.cells.get(&(function, target)) {
            Some(cell) if cell.numbers.n > 0 => Entry::Measured(*cell),
            Some(cell) => Entry::Failed(*cell),
            None if self.refused.contains(&(function, target)) => Entry::Refused,
            None => Entry::Absent,
        }
    }

    /// All cells, by function and then in the order of the columns.
    pub fn cells(&self) -> impl Iterator<Item = EachCell<'a>> + '_ {
        let places = self
            .functions
            .iter()
            .flat_map(move |function| self.targets.iter().map(move |target| (*function, *target)));
        places.filter_map(|place| self.cells.get(&place)).copied()
    }

    /// The cells that have numbers.
    pub fn measured(&self) -> impl Iterator<Item = EachCell<'a>> + '_ {
        self.cells().filter(|cell| cell.numbers.n > 0)
    }

    /// Whether these are cold starts.
    pub fn is_cold(&self) -> bool {
        self.key.0.is_cold()
    }

    /// Whether any cell has a ratio to `native`.
    pub fn has_ratios(&self) -> bool {
        self.cells.values().any(|cell| cell.summary.ratio_to_native.is_some())
    }

    /// Whether no cell has enough samples.
    pub fn is_all_few(&self) -> bool {
        self.cells.values().all(|cell| cell.numbers.few_samples)
    }

    /// The number of samples of the cells that have any: `n=10`, `n=8..10`.
    pub fn samples_text(&self) -> String {
        let counts = || self.measured().map(|cell| cell.numbers.n);
        match (counts().min(), counts().max()) {
            (Some(least), Some(most)) if least < most => format!("n={least}..{most}"),
            (least, _) => format!("n={}", least.unwrap_or(0)),
        }
    }

    /// What the cells share, in words.
    pub fn title(&self) -> String {
        let (start, isolation, storage, size) = self.key;
        let start = match start {
            Start::Warm => "Warm starts",
            Start::ColdInstance => "Cold starts of an instance",
            Start::ColdModule => "Cold starts of a module",
            Start::ColdProcess => "Cold starts of a process",
            Start::ColdImage => "Cold starts from an image",
            Start::Mixed => "Under load",
        };
        format!("{start}, {size} inputs, {isolation} isolation, {storage} storage")
    }

    /// The geometric means over the functions for which every target has a ratio: means over
    /// different functions cannot be compared. `None` for fewer than two functions.
    pub fn means(&self) -> Option<Means<'a>> {
        let ratio = |function: &str, target: &Target| match self.entry(function, target) {
            Entry::Measured(cell) => cell.summary.ratio_to_native.map(|ratio| ratio.ratio),
            _ => None,
        };
        let has_any = |target: &&&Target| self.functions.iter().any(|f| ratio(f, target).is_some());
        let targets: Vec<&Target> = self.targets.iter().filter(has_any).copied().collect();
        let in_all = |function: &&&str| targets.iter().all(|t| ratio(function, t).is_some());
        let common: Vec<&str> = self.functions.iter().filter(in_all).copied().collect();
        if targets.is_empty() || common.len() < 2 {
            return None;
        }
        let mean = |target| {
            let ratios = common.iter().filter_map(|function| ratio(function, target));
            Some((target, lumos_stats::geometric_mean(ratios).ok()?))
        };
        Some(Means {
            by_target: targets.into_iter().filter_map(mean).collect(),
            functions: common.len(),
        })
    }
}
