//! The cells of a summary as tables: one for each start, isolation, storage and size,
//! with a row a function and a column a target.

use std::collections::{BTreeMap, BTreeSet};

use lumos_analysis::summary::{CellSummary, Summary};
use lumos_model::cell::{Cell, Isolation, Size, Start, Storage, Target};

use super::info::RunInfo;

/// What the cells of one table share.
type Key = (Start, Isolation, Storage, Size);

/// The cells of one table.
#[derive(Debug)]
pub struct Group<'a> {
    key: Key,
    /// The rows.
    pub functions: Vec<&'a str>,
    /// The columns: `native` first, then by runtime, interpreter before compilers.
    pub targets: Vec<&'a Target>,
    cells: BTreeMap<(&'a str, &'a Target), &'a CellSummary>,
    refused: BTreeSet<(&'a str, &'a Target)>,
}

/// What stands at a row and column.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// The cell has numbers.
    Measured(&'a CellSummary),
    /// The cell ran, and no invocation of it counts.
    Failed(&'a CellSummary),
    /// The cell could not run here.
    Refused,
    /// The scenario has no such cell, or the run did not come to it.
    Absent,
}

/// The tables of a summary, warm starts first.
pub fn groups<'a>(summary: &'a Summary, info: &'a RunInfo) -> Vec<Group<'a>> {
    let mut by_key: BTreeMap<Key, Vec<&CellSummary>> = BTreeMap::new();
    for cell in &summary.cells {
        by_key.entry(key(&cell.cell)).or_default().push(cell);
    }
    by_key.into_iter().map(|(key, cells)| Group::new(key, &cells, info)).collect()
}

fn key(cell: &Cell) -> Key {
    (cell.start(), cell.isolation, cell.storage, cell.size)
}

fn place(cell: &Cell) -> (&str, &Target) {
    (&cell.function, &cell.target)
}

impl<'a> Group<'a> {
    fn new(key: Key, cells: &[&'a CellSummary], info: &'a RunInfo) -> Self {
        let cells: BTreeMap<_, _> = cells.iter().map(|&c| (place(&c.cell), c)).collect();
        let functions: BTreeSet<&str> = cells.keys().map(|(function, _)| *function).collect();
        let mut targets: Vec<&Target> =
            cells.keys().map(|(_, target)| *target).collect::<BTreeSet<_>>().into_iter().collect();
        targets.sort_by_key(|target| target_order(target));
        let refused = info.refused.iter().map(|refused| &refused.cell);
        let refused = refused.filter(|cell| self::key(cell) == key).map(place).collect();
        Self { key, functions: functions.into_iter().collect(), targets, cells, refused }
    }

    /// What stands at `function` and `target`.
    pub fn entry(&self, function: &str, target: &Target) -> Entry<'a> {
        match self.cells.get(&(function, target)) {
            Some(cell) if cell.n > 0 => Entry::Measured(cell),
            Some(cell) => Entry::Failed(cell),
            None if self.refused.contains(&(function, target)) => Entry::Refused,
            None => Entry::Absent,
        }
    }

    /// The cells of a function that have numbers, in the order of the columns.
    pub fn measured(&self, function: &'a str) -> impl Iterator<Item = &'a CellSummary> + '_ {
        self.targets.iter().filter_map(move |target| match self.entry(function, target) {
            Entry::Measured(cell) => Some(cell),
            _ => None,
        })
    }

    /// All cells, by function and then in the order of the columns.
    pub fn cells(&self) -> impl Iterator<Item = &'a CellSummary> + '_ {
        self.functions
            .iter()
            .flat_map(move |function| {
                self.targets.iter().filter_map(move |target| self.cells.get(&(*function, *target)))
            })
            .copied()
    }

    /// Whether these are cold starts.
    pub fn is_cold(&self) -> bool {
        self.key.0.is_cold()
    }

    /// Whether any cell has a ratio to `native`.
    pub fn has_ratios(&self) -> bool {
        self.cells.values().any(|cell| cell.ratio_to_native.is_some())
    }

    /// The smallest and largest number of samples of the cells that have any.
    pub fn samples(&self) -> Option<(usize, usize)> {
        let counts = || self.cells.values().map(|cell| cell.n).filter(|n| *n > 0);
        Some((counts().min()?, counts().max()?))
    }

    /// The number of samples as a report says it: `n=10`, `n=8..10`.
    pub fn samples_text(&self) -> String {
        match self.samples() {
            None => "n=0".to_owned(),
            Some((least, most)) if least == most => format!("n={least}"),
            Some((least, most)) => format!("n={least}..{most}"),
        }
    }

    /// Whether every cell with numbers has too few samples.
    pub fn is_all_few(&self) -> bool {
        self.cells.values().all(|cell| cell.few_samples)
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

    /// The geometric mean of each target's ratios over the functions for which all
    /// targets have one, and how many these are; means over different functions could
    /// not be compared. `None` for fewer than two.
    pub fn geometric_means(&self) -> Option<(BTreeMap<&'a Target, f64>, usize)> {
        let ratio = |function: &str, target: &Target| match self.entry(function, target) {
            Entry::Measured(cell) => cell.ratio_to_native.map(|ratio| ratio.ratio),
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
        Some((targets.into_iter().filter_map(mean).collect(), common.len()))
    }
}

/// `native` before the others, then by runtime, the interpreter before the compilers.
pub(super) fn target_order(target: &Target) -> (bool, &str, usize, &str) {
    let rank = match target.mode() {
        None => 0,
        Some("interp") => 1,
        Some("jit") => 2,
        Some("aot") => 3,
        Some(_) => 4,
    };
    (!target.is_native(), target.runtime(), rank, target.as_str())
}
