//! What the rows of cells under load say.
//!
//! Requests of a block share a queue, so they are no independent samples: whatever is
//! compared is compared by blocks, each of which counts once, with its median.

use std::collections::BTreeMap;

use lumos_model::cell::{Cell, Demand, Driver, LoadPoint};
use lumos_model::counters::Counter;
use lumos_model::phase::Phase;
use lumos_model::row::{Outcome, Row, Taint};
use lumos_model::telemetry::BlockTelemetry;
use lumos_stats::{Bootstrap, Level, Percentile, Reliability, Samples, ci};
use serde::{Deserialize, Serialize};

use super::gather::{Blocks, Failures, Gathered};
use super::{Failure, Ratio};

/// For the few intervals that are drawn over blocks.
const RESAMPLES: u32 = 10_000;
/// Fewer paired blocks than these give a difference no interval.
const FEWEST_BLOCKS: usize = 5;

/// The numbers of one cell under load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadSummary {
    /// The point of the experiment.
    pub cell: Cell,
    /// Periods of load.
    pub blocks: usize,
    /// Requests in all of them.
    pub requests: usize,
    /// Those that were answered well; all times are theirs.
    pub ok: usize,
    /// The others, by how they ended.
    pub failures: BTreeMap<Outcome, Failure>,
    /// Requests that were sent while something disturbed the machine. They stay in.
    #[serde(default)]
    pub tainted: usize,
    /// The same by what it was; a request may have several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub taints: BTreeMap<Taint, usize>,
    /// Good responses a second, by block: from the first intended arrival to the last one,
    /// or to the last good response if that is later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<Spread>,
    /// From the intended arrival to the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Quantiles>,
    /// From the intended arrival until an instance was assigned; the lateness of the sending
    /// is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Quantiles>,
    /// The rest of the latency: a cold start and, with the `http` driver, the platform's
    /// part are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Quantiles>,
    /// Requests of the `ok` that started cold.
    pub cold: usize,
    /// How much later than intended requests were sent, of all that were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Quantiles>,
    /// With the `http` driver: what the client waited beyond the gateway's own account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Quantiles>,
    /// CPU time of a request, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_median_ns: Option<u64>,
    /// The most instances that any block had at one time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_instances: Option<u32>,
    /// Median over the instances of their cgroups' peak memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// Blocks that the cap of requests ended, and not their duration.
    #[serde(default)]
    pub capped_blocks: usize,
    /// Blocks of which client and gateway tell different stories.
    #[serde(default)]
    pub disagreeing_blocks: usize,
    /// Median latency with the `http` driver minus that with the `direct` one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_minus_direct: Option<Difference>,
    /// The latency's block medians against those of `native`; absent for `native` itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio_to_native: Option<Ratio>,
    /// Why there is no ratio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_no_ratio: Option<String>,
    /// Of the control pair: its throughput.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_throughput: Option<Spread>,
}

impl LoadSummary {
    /// The load.
    pub fn point(&self) -> &LoadPoint {
        self.cell.load().expect("only cells under load are summarised so")
    }

    /// Requests that ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.failures.get(&outcome).map_or(0, |failure| failure.count)
    }

    /// Requests that failed by themselves.
    pub fn failed(&self) -> usize {
        let failed = self.failures.iter().filter(|(outcome, _)| !is_of_overload(**outcome));
        failed.map(|(_, failure)| failure.count).sum()
    }

    /// Whether the cell did not work: a request failed by itself, or none was answered.
    pub fn is_broken(&self) -> bool {
        self.failed() > 0 || self.ok == 0
    }

    /// The share of cold starts among the good responses.
    pub fn cold_share(&self) -> Option<f64> {
        (self.ok > 0).then(|| self.cold as f64 / self.ok as f64)
    }
}

/// Rejections, passed deadlines and clients that left are what an overload looks like, and
/// no failures of a function.
pub fn is_of_overload(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Rejected | Outcome::Timeout | Outcome::Cancelled)
}

/// A quantity of each block: its median over the blocks, and how far they spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Median over the blocks.
    pub median: f64,
    /// That of the block with the least.
    pub least: f64,
    /// That of the block with the most.
    pub most: f64,
}

impl Spread {
    fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let samples = Samples::new(values).ok()?;
        Some(Self { median: samples.median(), least: samples.min(), most: samples.max() })
    }
}

/// A quantity of each request, over all blocks, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantiles {
    /// The median.
    pub p50_ns: u64,
    /// The 95th percentile.
    pub p95_ns: u64,
    /// The 99th percentile.
    pub p99_ns: u64,
}

impl Quantiles {
    fn of(values: &[f64]) -> Option<Self> {
        let samples = Samples::new(values.iter().copied()).ok()?;
        let at = |percentile| samples.percentile(percentile).round() as u64;
        Some(Self {
            p50_ns: at(Percentile::MEDIAN),
            p95_ns: at(Percentile::P95),
            p99_ns: at(Percentile::P99),
        })
    }
}

/// A difference of medians, in nanoseconds: the median over paired blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The difference.
    pub ns: i64,
    /// Its 95 % bootstrap interval over the blocks; absent with fewer than five.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci95_ns: Option<[i64; 2]>,
    /// Blocks that both cells have.
    pub paired_blocks: usize,
}

/// What is kept of the rows of one cell under load.
#[derive(Debug, Default)]
pub(super) struct GatheredLoad {
    blocks: BTreeMap<u32, Period>,
    control: BTreeMap<u32, Period>,
    requests: usize,
    ok: usize,
    cold: usize,
    failures: BTreeMap<Outcome, Failures>,
    tainted: usize,
    taints: BTreeMap<Taint, usize>,
    queue: Vec<f64>,
    service: Vec<f64>,
    late: Vec<f64>,
    platform: Vec<f64>,
    cpu: Vec<f64>,
    peak_instances: Option<u32>,
    memory: Vec<f64>,
    capped_blocks: usize,
    disagreeing_blocks: usize,
}

/// One block: its good responses, and the time that they took.
#[derive(Debug)]
pub(crate) struct Period {
    first_ns: u64,
    last_ns: u64,
    /// Latencies of the good responses.
    latency: Vec<f64>,
}

impl Default for Period {
    fn default() -> Self {
        Self { first_ns: u64::MAX, last_ns: 0, latency: Vec::new() }
    }
}

impl Period {
    pub(crate) fn add(&mut self, row: &Row) {
        let sample = &row.sample;
        self.first_ns = self.first_ns.min(sample.intended_ns);
        self.last_ns = self.last_ns.max(sample.intended_ns);
        if sample.outcome == Outcome::Ok {
            self.last_ns = self.last_ns.max(sample.intended_ns.saturating_add(sample.total_ns));
            self.latency.push(sample.total_ns as f64);
        }
    }

    /// Good responses a second; `None`: no time passed.
    pub(crate) fn throughput(&self) -> Option<f64> {
        let ns = self.last_ns.checked_sub(self.first_ns).filter(|ns| *ns > 0)?;
        Some(self.latency.len() as f64 * 1e9 / ns as f64)
    }
}

impl GatheredLoad {
    pub fn add(&mut self, row: &Row) {
        let sample = &row.sample;
        if row.control {
            self.control.entry(row.block).or_default().add(row);
            return;
        }
        self.blocks.entry(row.block).or_default().add(row);
        self.requests += 1;
        self.tainted += usize::from(!row.taints.is_empty());
        for taint in &row.taints {
            *self.taints.entry(*taint).or_default() += 1;
        }
        self.late.extend(sample.late_ns.map(|ns| ns as f64));
        if sample.outcome != Outcome::Ok {
            self.failures.entry(sample.outcome).or_default().add(row);
            return;
        }
        self.ok += 1;
        self.cold += usize::from(sample.start_kind.is_cold());
        let queue = sample.phases_ns.get(Phase::Queue);
        self.queue.push(queue as f64);
        self.service.push(sample.total_ns.saturating_sub(queue) as f64);
        self.platform.extend(sample.platform_ns.map(|ns| ns as f64));
        self.cpu.extend(sample.cpu_ns.map(|ns| ns as f64));
    }

    pub fn add_block(&mut self, block: &BlockTelemetry) {
        let Some(pool) = block.pool.as_ref().filter(|_| !block.control) else { return };
        self.peak_instances = self.peak_instances.max(Some(pool.peak_instances));
        self.capped_blocks += usize::from(pool.capped);
        let fault = pool.agreement.as_ref().and_then(|agreement| agreement.fault());
        self.disagreeing_blocks += usize::from(fault.is_some());
        let peaks = block.instances.iter().filter_map(|group| group.get(Counter::MemoryPeak));
        self.memory.extend(peaks.map(|bytes| bytes as f64));
    }

    /// What a comparison needs: each block with the median of its latencies.
    pub fn medians(&self) -> Gathered {
        Gathered::of_totals(medians(&self.blocks), medians(&self.control))
    }

    /// Whether any row but the control's was seen.
    pub fn was_measured(&self) -> bool {
        self.requests > 0
    }
}

fn medians(periods: &BTreeMap<u32, Period>) -> Blocks {
    let median = |period: &Period| Samples::new(period.latency.iter().copied()).ok();
    let block = |(number, period): (&u32, &Period)| Some((*number, vec![median(period)?.median()]));
    periods.iter().filter_map(block).collect()
}

/// All of a cell but what it is compared with.
pub(super) fn describe(cell: &Cell, load: &GatheredLoad) -> LoadSummary {
    let latency: Vec<f64> =
        load.blocks.values().flat_map(|period| period.latency.iter().copied()).collect();
    let median =
        |values: &[f64]| Some(Samples::new(values.iter().copied()).ok()?.median().round() as u64);
    let throughput = |periods: &BTreeMap<u32, Period>| {
        Spread::of(periods.values().filter_map(Period::throughput))
    };
    LoadSummary {
        cell: cell.clone(),
        blocks: load.blocks.len(),
        requests: load.requests,
        ok: load.ok,
        failures: load.failures.iter().map(|(o, failures)| (*o, failures.summary())).collect(),
        tainted: load.tainted,
        taints: load.taints.clone(),
        throughput: throughput(&load.blocks),
        latency: Quantiles::of(&latency),
        queue: Quantiles::of(&load.queue),
        service: Quantiles::of(&load.service),
        cold: load.cold,
        late: Quantiles::of(&load.late),
        platform: Quantiles::of(&load.platform),
        cpu_median_ns: median(&load.cpu),
        peak_instances: load.peak_instances,
        memory_peak_bytes: median(&load.memory),
        capped_blocks: load.capped_blocks,
        disagreeing_blocks: load.disagreeing_blocks,
        http_minus_direct: None,
        ratio_to_native: None,
        why_no_ratio: None,
        control_throughput: throughput(&load.control),
    }
}

/// The same cell, driven directly; `None`: this one is.
pub(super) fn direct(cell: &Cell) -> Option<Cell> {
    let point = cell.load().filter(|point| point.driver == Driver::Http)?;
    let demand = Demand::Load(LoadPoint { driver: Driver::Direct, ..point.clone() });
    Some(Cell { demand, ..cell.clone() })
}

/// `http` minus `direct`, over the blocks that both have.
pub(super) fn difference(http: &Blocks, direct: &Blocks, seed: u64) -> Option<Difference> {
    let pair =
        |(number, http): (&u32, &Vec<f64>)| Some(http.first()? - direct.get(number)?.first()?);
    let differences = Samples::new(http.iter().filter_map(pair)).ok()?;
    let plan = Bootstrap::new(Level::P95, RESAMPLES, seed).expect("enough resamples for 95 %");
    let interval = ci(&differences, Percentile::MEDIAN, &plan);
    let fits =
        differences.len() >= FEWEST_BLOCKS && interval.reliability < Reliability::TooFewSamples;
    Some(Difference {
        ns: interval.estimate.round() as i64,
        ci95_ns: fits.then(|| [interval.lo, interval.hi].map(|ns| ns.round() as i64)),
        paired_blocks: differences.len(),
    })
}
