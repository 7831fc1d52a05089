//! What changed between two runs of the same experiment: `lumos compare`.
//!
//! | file | what it does |
//! |---|---|
//! | `mod` | the schema of `--format json`, and the path from two sides to it |
//! | [`side`] | reads a run directory: its samples by cell, metric and block |
//! | [`obstacles`] | what makes two runs incomparable, and what is compared |
//! | `judge` | ratios, the noise floor, verdicts |
//!
//! Each comparison is a cell with a metric. The interval of its ratio is the exact rank
//! interval over the blocks of both runs ([`lumos_stats::ratio_of_runs`] says why blocks
//! of two runs are not paired, and why it is no bootstrap). With m comparisons each is
//! made at 1 - (1 - level) / m (Bonferroni), so that the chance of any false alarm in
//! the whole table stays below 1 - level, however the cells depend on each other. Beside
//! that a change must pass margin and noise floor, as `judge` says.

mod judge;
pub mod obstacles;
pub mod side;

use std::collections::{BTreeMap, BTreeSet};

use lumos_model::SCHEMA;
use lumos_model::cell::Cell;
use lumos_stats::{Level, Margin};
use serde::Serialize;

pub use side::Side;

use crate::summary::Verdict;

/// The smallest change that is called one, when the noise is smaller: 1 %, as in reports.
pub const MARGIN: f64 = 0.01;

lumos_model::words! {
    /// A quantity of which two runs are compared; less is better.
    Metric, "metric" {
        /// From the intended arrival to the response.
        Total = "total",
        /// Provision, load, compile and instantiate together; of cold cells.
        ColdStart = "cold_start",
        /// The function's own work.
        Compute = "compute",
        /// CPU time of the instance.
        Cpu = "cpu",
        /// Time a good response, of cells under load: one over a block's throughput.
        PerResponse = "per_response",
    }
}

impl Metric {
    /// Whether a cell has it.
    pub fn applies_to(self, cell: &Cell) -> bool {
        match self {
            Metric::ColdStart => cell.start().is_cold(),
            Metric::PerResponse => cell.load().is_some(),
            Metric::Total | Metric::Compute | Metric::Cpu => true,
        }
    }
}

/// How two runs are compared.
#[derive(Clone, Debug)]
pub struct Options {
    /// The smallest change that is called one.
    pub margin: Margin,
    /// The level at which all comparisons hold together.
    pub level: Level,
    /// What is compared.
    pub metrics: Vec<Metric>,
}

/// Two runs compared: the content of `--format json`.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Version of the format.
    pub schema: u32,
    /// The run that is compared with.
    pub base: RunName,
    /// The run that is judged.
    pub new: RunName,
    /// The smallest change that is called one: 0.02 is 2 %.
    pub margin: f64,
    /// The level at which all comparisons hold together.
    pub level: f64,
    /// The level of each comparison's interval, raised for their number.
    pub level_of_each: f64,
    /// Blocks of a cell that each run needs before anything is evidence at that level.
    pub blocks_needed: usize,
    /// What this machine differs from itself, by metric.
    pub noise_floors: BTreeMap<Metric, NoiseFloor>,
    /// The median of the ratios of all comparisons; absent without any. It corrects
    /// nothing: far from 1, the whole machine was slower or faster in one of the runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_ratio: Option<f64>,
    /// What differs between the runs and may be what is compared.
    pub changed: Vec<String>,
    /// Why the runs should not have been compared, when `--force` was given.
    pub warnings: Vec<String>,
    /// The cells of both runs, by metric.
    pub cells: Vec<CellComparison>,
    /// Cells of which one run alone has samples, and failures that one run alone has.
    pub unmatched: Vec<Unmatched>,
}

impl Comparison {
    /// Compares `new` with `base`; `warnings` are the reasons against it that the user
    /// has overridden.
    pub fn new(base: &Side, new: &Side, options: &Options, warnings: Vec<String>) -> Self {
        let judged = judge::judge(base, new, options);
        Self {
            schema: SCHEMA,
            base: RunName::of(base),
            new: RunName::of(new),
            margin: options.margin.fraction(),
            level: options.level.fraction(),
            level_of_each: judged.level.fraction(),
            blocks_needed: lumos_stats::blocks_needed(judged.level),
            noise_floors: judged.floors,
            median_ratio: judged.median_ratio,
            changed: obstacles::changes(base, new),
            warnings,
            cells: judged.cells,
            unmatched: unmatched(base, new),
        }
    }

    /// The comparisons with this verdict.
    pub fn with(&self, verdict: Verdict) -> impl Iterator<Item = &CellComparison> {
        self.cells.iter().filter(move |cell| cell.verdict == verdict)
    }

    /// Whether anything is confirmed to have become worse: a cell is slower, or worked
    /// in the base and has only failures now.
    pub fn is_regression(&self) -> bool {
        let is_broken = |unmatched: &Unmatched| unmatched.kind == UnmatchedKind::Broken;
        self.with(Verdict::Slower).next().is_some() || self.unmatched.iter().any(is_broken)
    }
}

/// Which run it was.
#[derive(Clone, Debug, Serialize)]
pub struct RunName {
    /// The run directory, as it was given.
    pub dir: String,
    /// The scenario's name.
    pub name: String,
    /// When it started.
    pub started: String,
    /// The machine in one line.
    pub machine: String,
}

impl RunName {
    fn of(side: &Side) -> Self {
        Self {
            dir: side.dir.display().to_string(),
            name: side.manifest.name.clone(),
            started: side.manifest.started.clone(),
            machine: side.machine(),
        }
    }
}

/// By how much an unchanged thing differs from itself: 0.012 is 1.2 %. Each is the
/// farther end of a 95 % interval of `native` over `native`.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct NoiseFloor {
    /// The widest of those below; 0 when there are none.
    pub floor: f64,
    /// Within the base run: its widest control pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<f64>,
    /// Within the new run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<f64>,
    /// Between the runs: their control cells, when `lumos` and the executable are the
    /// same in both. It shows what the control pair of one run cannot, the drift of the
    /// machine from run to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between: Option<f64>,
    /// The ratio of these control cells, new over base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift: Option<f64>,
}

/// One cell in both runs.
#[derive(Clone, Debug, Serialize)]
pub struct CellComparison {
    /// The point of the experiment.
    pub cell: Cell,
    /// What is compared.
    pub metric: Metric,
    /// What is known of it in the base run.
    pub base: Measured,
    /// What is known of it in the new run.
    pub new: Measured,
    /// New over base; absent when a median is zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// The ratio's interval at `level_of_each`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    /// What the interval says, given margin and noise floor.
    pub verdict: Verdict,
    /// Why there can be no verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_unsure: Option<String>,
}

/// The samples of a cell in one run.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Measured {
    /// The median.
    pub median_ns: u64,
    /// Samples.
    pub n: usize,
    /// Blocks that they come from.
    pub blocks: usize,
}

/// A cell of which the runs do not both have what they should.
#[derive(Clone, Debug, Serialize)]
pub struct Unmatched {
    /// The point of the experiment.
    pub cell: Cell,
    /// In which way.
    pub kind: UnmatchedKind,
    /// Failed invocations in the base run.
    pub base_failures: usize,
    /// Failed invocations in the new run.
    pub new_failures: usize,
}

/// How a cell is unmatched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnmatchedKind {
    /// It worked in the base run, and every invocation of the new run failed.
    Broken,
    /// Every invocation of the base run failed, and it works in the new run.
    Mended,
    /// It has no rows in the new run.
    OnlyInBase,
    /// It has no rows in the base run.
    OnlyInNew,
    /// It has samples in both, and more failures in the new run.
    MoreFailures,
}

fn unmatched(base: &Side, new: &Side) -> Vec<Unmatched> {
    let cells: BTreeSet<&Cell> = base.cells.keys().chain(new.cells.keys()).collect();
    let mut list: Vec<Unmatched> = cells
        .into_iter()
        .filter_map(|cell| {
            let (of_base, of_new) = (base.cells.get(cell), new.cells.get(cell));
            let works = |of: Option<&side::Samples>| of.is_some_and(side::Samples::works);
            let failures = |of: Option<&side::Samples>| of.map_or(0, |of| of.failures);
            let kind = match (of_base, of_new) {
                (Some(_), None) => UnmatchedKind::OnlyInBase,
                (None, _) => UnmatchedKind::OnlyInNew,
                _ if works(of_base) && !works(of_new) => UnmatchedKind::Broken,
                _ if !works(of_base) && works(of_new) => UnmatchedKind::Mended,
                _ if failures(of_new) > failures(of_base) => UnmatchedKind::MoreFailures,
                _ => return None,
            };
            Some(Unmatched {
                cell: cell.clone(),
                kind,
                base_failures: failures(of_base),
                new_failures: failures(of_new),
            })
        })
        .collect();
    list.sort_by(|a, b| (a.kind, &a.cell).cmp(&(b.kind, &b.cell)));
    list
}
