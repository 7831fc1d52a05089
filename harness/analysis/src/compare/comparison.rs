//! Two runs, compared.

use std::collections::BTreeMap;

use lumos_model::SCHEMA;
use lumos_model::fingerprint::Fingerprint;
use lumos_stats::{Margin, Samples, Verdict};
use serde::Serialize;

use super::changes::{Change, changes};
use super::judge::{CellComparison, Options, judge};
use super::noise::MetricNoise;
use super::obstacles::Obstacle;
use super::side::Side;
use super::unmatched::{Unmatched, UnmatchedKind, unmatched};
use crate::metric::Metric;

/// The comparison of two runs. The report adds `changed` and `obstacles` in words to what is
/// serialised here.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Version of the format.
    pub schema: u32,
    /// The run that is compared with.
    pub base: RunName,
    /// The run that is judged.
    pub new: RunName,
    /// The smallest change that is reported.
    pub margin: Margin,
    /// The level at which all comparisons hold together.
    pub level: f64,
    /// The level of each comparison's interval, raised for their number.
    pub level_of_each: f64,
    /// Blocks of a cell that each run needs for evidence at that level.
    pub blocks_needed: usize,
    /// How far this machine differs from itself, by metric.
    pub noise_floors: BTreeMap<Metric, MetricNoise>,
    /// The median of the ratios of all comparisons. It corrects nothing: far from 1, the whole
    /// machine was slower or faster in one of the runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_ratio: Option<f64>,
    /// What differs between the runs and may be the subject of the comparison.
    #[serde(skip)]
    pub changed: Vec<Change>,
    /// What keeps the runs from being compared, and was overridden.
    #[serde(skip)]
    pub obstacles: Vec<Obstacle>,
    /// The cells of both runs, by metric.
    pub cells: Vec<CellComparison>,
    /// Cells that are missing or fail in one of the runs.
    pub unmatched: Vec<Unmatched>,
}

impl Comparison {
    /// Compares `new` with `base` in spite of `obstacles`.
    pub fn new(base: &Side, new: &Side, options: &Options, obstacles: Vec<Obstacle>) -> Self {
        let judged = judge(base, new, options);
        let ratios = Samples::new(judged.cells.iter().filter_map(|cell| cell.ratio));
        Self {
            schema: SCHEMA,
            base: RunName::of(base),
            new: RunName::of(new),
            margin: options.margin,
            level: options.level.fraction(),
            level_of_each: judged.level.fraction(),
            blocks_needed: lumos_stats::blocks_needed(judged.level),
            noise_floors: judged.noise,
            median_ratio: ratios.ok().map(|ratios| ratios.median()),
            changed: changes(base, new),
            obstacles,
            cells: judged.cells,
            unmatched: unmatched(base, new),
        }
    }

    /// The comparisons with this verdict.
    pub fn with(&self, verdict: Verdict) -> impl Iterator<Item = &CellComparison> {
        self.cells.iter().filter(move |cell| cell.verdict == verdict)
    }

    /// Whether a cell is confirmed to be worse: it is slower, or it worked in the base run and
    /// only fails now.
    pub fn is_regression(&self) -> bool {
        let is_broken = |unmatched: &Unmatched| unmatched.kind == UnmatchedKind::Broken;
        self.with(Verdict::Slower).next().is_some() || self.unmatched.iter().any(is_broken)
    }
}

/// Names a run.
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
        let machine = side.manifest.fingerprint.as_ref().map(Fingerprint::line);
        Self {
            dir: side.dir.display().to_string(),
            name: side.manifest.name.clone(),
            started: side.manifest.started.clone(),
            machine: machine.unwrap_or_else(|| "unknown".to_owned()),
        }
    }
}
