//! Ratios of the cells of both runs, the noise floor, and verdicts.

use std::collections::BTreeMap;

use lumos_model::artifact::Form;
use lumos_model::cell::Cell;
use lumos_stats::{
    Band, Bootstrap, Level, Margin, PairedBlock, RatioInterval, Reliability, blocks_needed,
    ratio_of_blocks, ratio_of_runs,
};

use super::side::{Samples, Side};
use super::{CellComparison, Measured, Metric, NoiseFloor, Options};
use crate::summary::Verdict;

/// Level of the noise floor, that of the summary's.
const FLOOR_LEVEL: Level = Level::P95;

/// On a noisier machine nothing is shown to be equal.
const WIDEST_EQUIVALENCE: f64 = 0.10;

/// What was found.
pub(super) struct Judged {
    pub level: Level,
    pub floors: BTreeMap<Metric, NoiseFloor>,
    pub median_ratio: Option<f64>,
    pub cells: Vec<CellComparison>,
}

/// Compares every cell that works in both runs.
pub(super) fn judge(base: &Side, new: &Side, options: &Options) -> Judged {
    let pairs: Vec<Pair> = pairs(base, new, &options.metrics);
    // How many blocks there are was decided before anything was measured, so pairs that
    // cannot be evidence may be left out of the count.
    let needed = blocks_needed(options.level);
    let count = pairs.iter().filter(|pair| pair.blocks() >= needed).count();
    let level = options.level.shared_by(count);
    let floors: BTreeMap<Metric, NoiseFloor> =
        options.metrics.iter().map(|&metric| (metric, noise_floor(base, new, metric))).collect();
    let rule = |metric| Rule::new(options.margin, &floors[&metric]);
    let cells: Vec<_> = pairs.iter().map(|pair| pair.compare(level, &rule(pair.metric))).collect();
    let ratios = lumos_stats::Samples::new(cells.iter().filter_map(|cell| cell.ratio));
    Judged { level, floors, median_ratio: ratios.ok().map(|ratios| ratios.median()), cells }
}

/// What makes an interval a verdict.
///
/// A change is one when its whole interval lies beyond the margin, and beyond what the
/// unchanged `native` shifted between the runs, and when its estimate lies beyond the
/// noise floor. (That the whole interval lie beyond the floor too would count the same
/// noise twice: the floor is the far end of an interval of native over native.)
/// Equivalent is what lies wholly within the widest of the three, though not within more
/// than [`WIDEST_EQUIVALENCE`] unless that is the margin.
struct Rule {
    change: Band,
    same: Band,
    floor: f64,
}

impl Rule {
    fn new(margin: Margin, floor: &NoiseFloor) -> Self {
        let band = |width: f64| {
            let width = Margin::new(width.max(margin.fraction())).unwrap_or(margin);
            Band::new(width, lumos_stats::NoiseFloor::UNKNOWN)
        };
        let shift = floor.shift.map_or(0.0, |shift| shift.max(1.0 / shift) - 1.0);
        Self {
            change: band(shift),
            same: band(floor.floor.min(WIDEST_EQUIVALENCE)),
            floor: 1.0 + floor.floor,
        }
    }

    fn verdict(&self, found: &RatioInterval) -> Verdict {
        let is_beyond_floor = found.estimate().max(1.0 / found.estimate()) > self.floor;
        match (self.change.verdict(found).into(), self.same.verdict(found).into()) {
            (change @ (Verdict::Slower | Verdict::Faster), _) if is_beyond_floor => change,
            (_, Verdict::Equivalent) => Verdict::Equivalent,
            _ => Verdict::Unsure,
        }
    }
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
    for (cell, of_base) in &base.cells {
        let Some(of_new) = new.cells.get(cell) else { continue };
        for &metric in metrics.iter().filter(|metric| metric.applies_to(cell)) {
            let (base, new) = (of_base.blocks(metric), of_new.blocks(metric));
            if !base.is_empty() && !new.is_empty() {
                pairs.push(Pair { cell, metric, base, new });
            }
        }
    }
    pairs
}

impl Pair<'_> {
    /// Blocks of the side that has fewer.
    fn blocks(&self) -> usize {
        self.base.len().min(self.new.len())
    }

    fn compare(&self, level: Level, rule: &Rule) -> CellComparison {
        let interval = ratio_of_runs(&self.base, &self.new, level);
        let (ratio, ends, verdict, why_unsure) = match &interval {
            Ok(found) => (
                Some(found.estimate()),
                Some([found.lo(), found.hi()]),
                rule.verdict(found),
                self.why_unsure(found, level),
            ),
            Err(error) => (None, None, Verdict::Unsure, Some(error.to_string())),
        };
        CellComparison {
            cell: self.cell.clone(),
            metric: self.metric,
            base: measured(&self.base),
            new: measured(&self.new),
            ratio,
            interval: ends,
            verdict,
            why_unsure,
        }
    }

    fn why_unsure(&self, found: &RatioInterval, level: Level) -> Option<String> {
        (found.reliability() == Reliability::TooFewSamples)
            .then(|| format!("{} blocks, and {} are needed", self.blocks(), blocks_needed(level)))
    }
}

fn measured(blocks: &[Vec<f64>]) -> Measured {
    let samples = lumos_stats::Samples::new(blocks.iter().flatten().copied());
    Measured {
        median_ns: samples.as_ref().map_or(0, |samples| samples.median().round() as u64),
        n: samples.map_or(0, |samples| samples.len()),
        blocks: blocks.len(),
    }
}

/// The widest control pair of `metric` within a run or between both. Where the control
/// has no such metric, as a warm one has no cold starts, its totals speak.
fn noise_floor(base: &Side, new: &Side, metric: Metric) -> NoiseFloor {
    let has_control = |samples: &Samples| samples.control.contains_key(&metric);
    let metric = match base.cells.values().chain(new.cells.values()).any(has_control) {
        true => metric,
        false => Metric::Total,
    };
    let [of_base, of_new] = [base, new].map(|side| {
        let pairs = side.cells.values().filter_map(|samples| within(samples, metric));
        pairs.max_by(f64::total_cmp)
    });
    let (shift, between) = between(base, new, metric).unzip();
    let floor = [of_base, of_new, between].into_iter().flatten().fold(0.0, f64::max);
    NoiseFloor { floor, base: of_base, new: of_new, between, shift }
}

/// A control pair's floor, over paired blocks as in the run's summary.
fn within(samples: &Samples, metric: Metric) -> Option<f64> {
    let (measured, control) = (samples.measured.get(&metric)?, samples.control.get(&metric)?);
    let pair = |(number, base): (&u32, &Vec<f64>)| {
        Some(PairedBlock { base: base.clone(), candidate: control.get(number)?.clone() })
    };
    let blocks: Vec<PairedBlock> = measured.iter().filter_map(pair).collect();
    floor(&ratio_of_blocks(&blocks, &Bootstrap::default()).ok()?)
}

/// The control cells of the one run against those of the other: the ratio and floor of
/// the one that moved most. What is unchanged must be so in truth: the same executable,
/// driven by the same `lumos`.
fn between(base: &Side, new: &Side, metric: Metric) -> Option<(f64, f64)> {
    let is_same_lumos = base.manifest.lumos == new.manifest.lumos && same_commit(base, new);
    let same = |cell: &&Cell| is_same_lumos && is_same_executable(base, new, &cell.function);
    let cells = base.common(new).filter(|cell| !base.cells[*cell].control.is_empty());
    let floors = cells.filter(same).filter_map(|cell| {
        let all = |side: &Side| {
            let samples = &side.cells[cell];
            let mut blocks = samples.blocks(metric);
            blocks
                .extend(samples.control.get(&metric).into_iter().flat_map(|c| c.values().cloned()));
            blocks
        };
        let found = ratio_of_runs(&all(base), &all(new), FLOOR_LEVEL).ok()?;
        Some((found.estimate(), floor(&found)?))
    });
    floors.max_by(|(_, a), (_, b)| a.total_cmp(b))
}

fn same_commit(base: &Side, new: &Side) -> bool {
    let git = |side: &Side| side.manifest.fingerprint.as_ref().and_then(|print| print.git.clone());
    git(base) == git(new)
}

fn is_same_executable(base: &Side, new: &Side, function: &str) -> bool {
    let hash = |side: &Side| {
        let mut artifacts = side.manifest.artifacts.iter();
        let native = artifacts.find(|a| a.function == function && a.form.0 == Form::NATIVE);
        native.map(|artifact| artifact.sha256.clone())
    };
    hash(base) == hash(new)
}

fn floor(control: &RatioInterval) -> Option<f64> {
    lumos_stats::NoiseFloor::from_control(control).ok().map(lumos_stats::NoiseFloor::fraction)
}
