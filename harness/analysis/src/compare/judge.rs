//! Ratios of the cells of both runs, and verdicts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use lumos_model::cell::Cell;
use lumos_model::quantity::Quantity;
use lumos_stats::{
    Level, Margin, RatioInterval, Reliability, Samples, Verdict, blocks_needed, ratio_of_runs,
};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::noise::MetricNoise;
use super::rule::Rule;
use super::side::Side;
use crate::gather::Batch;
use crate::metric::Metric;

/// How two runs are compared.
#[derive(Clone, Debug)]
pub struct Options {
    /// The smallest change that is reported.
    pub margin: Margin,
    /// The level at which all comparisons hold together.
    pub level: Level,
    /// What is compared.
    pub metrics: Vec<Metric>,
}

/// One metric of one cell in both runs.
#[derive(Clone, Debug, Serialize)]
pub struct CellComparison {
    /// The point of the experiment.
    pub cell: Cell,
    /// What is compared.
    pub metric: Metric,
    /// The base run.
    pub base: Measured,
    /// The new run.
    pub new: Measured,
    /// New over base; absent when a median is zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// The ratio's interval at the level of each comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    /// What the interval says, given margin and noise floor.
    pub verdict: Verdict,
    /// Why there can be no verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_unsure: Option<NoEvidence>,
}

/// The samples of a cell in one run.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Median over all samples.
    pub median: Quantity,
    /// Number of samples.
    pub n: usize,
    /// Number of blocks that they come from.
    pub blocks: usize,
}

/// The key of the median ends in its unit: `median_ns`.
impl Serialize for Measured {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry(&self.median.unit.key("median"), &self.median.value)?;
        map.serialize_entry("n", &self.n)?;
        map.serialize_entry("blocks", &self.blocks)?;
        map.end()
    }
}

/// Why a comparison cannot have a verdict.
#[derive(Clone, Debug, PartialEq)]
pub enum NoEvidence {
    /// One run has too few blocks for the level.
    TooFewBlocks {
        /// Blocks of the run that has fewer.
        blocks: usize,
        /// Blocks that each run needs.
        needed: usize,
    },
    /// There is no ratio.
    NoRatio(lumos_stats::Error),
}

impl fmt::Display for NoEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewBlocks { blocks, needed } => {
                write!(f, "{blocks} blocks, and {needed} are needed")
            }
            Self::NoRatio(error) => error.fmt(f),
        }
    }
}

impl Serialize for NoEvidence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The result of all comparisons.
pub(super) struct Judged {
    /// The level of each comparison.
    pub level: Level,
    pub noise: BTreeMap<Metric, MetricNoise>,
    pub cells: Vec<CellComparison>,
}

/// Compares every cell that has samples in both runs.
pub(super) fn judge(base: &Side, new: &Side, options: &Options) -> Judged {
    let pairs = pairs(base, new, &options.metrics);
    // The number of blocks was decided before the measurement, so pairs that cannot be
    // evidence need no share of the level.
    let needed = blocks_needed(options.level);
    let count = pairs.iter().filter(|pair| pair.blocks() >= needed).count();
    let level = options.level.shared_by(count);
    let noise = |&metric: &Metric| (metric, MetricNoise::of(base, new, metric));
    let noise: BTreeMap<Metric, MetricNoise> = options.metrics.iter().map(noise).collect();
    let rule = |metric| Rule::new(options.margin, &noise[&metric]);
    let cells = pairs.iter().map(|pair| pair.compare(level, &rule(pair.metric))).collect();
    Judged { level, noise, cells }
}

/// A cell with a metric, in both runs.
struct Pair<'a> {
    cell: &'a Cell,
    metric: Metric,
    base: Vec<Vec<f64>>,
    new: Vec<Vec<f64>>,
}

fn pairs<'a>(base: &'a Side, new: &'a Side, metrics: &[Metric]) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    for (cell, of_base) in &base.gathered.cells {
        let Some(of_new) = new.gathered.cells.get(cell) else { continue };
        for &metric in metrics {
            let (base, new) = (blocks(&of_base.own, metric), blocks(&of_new.own, metric));
            if !base.is_empty() && !new.is_empty() {
                pairs.push(Pair { cell, metric, base, new });
            }
        }
    }
    pairs
}

fn blocks(batch: &Batch, metric: Metric) -> Vec<Vec<f64>> {
    batch.by_block(metric).into_values().map(Cow::into_owned).collect()
}

impl Pair<'_> {
    /// Blocks of the run that has fewer.
    fn blocks(&self) -> usize {
        self.base.len().min(self.new.len())
    }

    fn compare(&self, level: Level, rule: &Rule) -> CellComparison {
        let found = ratio_of_runs(&self.base, &self.new, level);
        let why_unsure = match &found {
            Ok(found) => self.too_few_blocks(found, level),
            Err(error) => Some(NoEvidence::NoRatio(error.clone())),
        };
        let found = found.ok();
        CellComparison {
            cell: self.cell.clone(),
            metric: self.metric,
            base: self.measured(&self.base),
            new: self.measured(&self.new),
            ratio: found.map(|found| found.estimate()),
            interval: found.map(|found| [found.lo(), found.hi()]),
            verdict: found.map_or(Verdict::Unsure, |found| rule.verdict(&found)),
            why_unsure,
        }
    }

    fn too_few_blocks(&self, found: &RatioInterval, level: Level) -> Option<NoEvidence> {
        (found.reliability() == Reliability::TooFewSamples).then(|| NoEvidence::TooFewBlocks {
            blocks: self.blocks(),
            needed: blocks_needed(level),
        })
    }

    fn measured(&self, blocks: &[Vec<f64>]) -> Measured {
        let samples = Samples::new(blocks.iter().flatten().copied()).ok();
        let median = samples.as_ref().map_or(0, |samples| samples.median().round() as u64);
        Measured {
            median: Quantity { value: median, unit: self.metric.unit() },
            n: samples.map_or(0, |samples| samples.len()),
            blocks: blocks.len(),
        }
    }
}
