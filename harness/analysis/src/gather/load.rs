//! What only cells under load have: periods of load, late requests, the pool.

use std::collections::BTreeMap;

use lumos_model::counters::Counter;
use lumos_model::phase::Phase;
use lumos_model::row::{Outcome, Row};
use lumos_model::telemetry::{BlockTelemetry, PoolTelemetry};

use super::table::Blocks;
use crate::metric::Metric;

/// Rows and telemetry of a cell under load, besides its samples.
#[derive(Debug, Default)]
pub(crate) struct LoadTally {
    /// The blocks.
    pub periods: BTreeMap<u32, Period>,
    /// Good responses that started cold.
    pub cold: usize,
    /// How much later than intended each request was sent, failed ones included.
    pub late: Vec<f64>,
    /// What the blocks' telemetry says of the pool.
    pub pool: PoolTally,
}

impl LoadTally {
    pub fn add(&mut self, row: &Row) {
        let sample = &row.sample;
        self.periods.entry(row.block).or_default().add(row);
        self.late.extend(sample.late_ns.map(|ns| ns as f64));
        self.cold += usize::from(sample.outcome == Outcome::Ok && sample.start_kind.is_cold());
    }

    /// Time per good response of each block that has any.
    pub fn per_response(&self) -> Blocks<'_> {
        let ns = |(block, period): (&u32, &Period)| {
            let throughput = period.throughput().filter(|rate| *rate > 0.0)?;
            Some((*block, vec![1e9 / throughput].into()))
        };
        self.periods.iter().filter_map(ns).collect()
    }
}

/// The values of a request with a good response.
pub(super) fn values(row: &Row) -> impl Iterator<Item = (Metric, u64)> {
    let sample = &row.sample;
    let queue = sample.phases_ns.get(Phase::Queue);
    [
        Some((Metric::Total, sample.total_ns)),
        Some((Metric::Phase(Phase::Queue), queue)),
        Some((Metric::Phase(Phase::Compute), sample.phases_ns.get(Phase::Compute))),
        Some((Metric::Service, sample.total_ns.saturating_sub(queue))),
        sample.cpu_ns.map(|ns| (Metric::Cpu, ns)),
        sample.platform_ns.map(|ns| (Metric::Platform, ns)),
    ]
    .into_iter()
    .flatten()
}

/// One block of load: its good responses and the time that they took.
#[derive(Debug)]
pub(crate) struct Period {
    first_ns: u64,
    last_ns: u64,
    responses: usize,
}

impl Default for Period {
    fn default() -> Self {
        Self { first_ns: u64::MAX, last_ns: 0, responses: 0 }
    }
}

impl Period {
    fn add(&mut self, row: &Row) {
        let sample = &row.sample;
        self.first_ns = self.first_ns.min(sample.intended_ns);
        self.last_ns = self.last_ns.max(sample.intended_ns);
        if sample.outcome == Outcome::Ok {
            self.last_ns = self.last_ns.max(sample.intended_ns.saturating_add(sample.total_ns));
            self.responses += 1;
        }
    }

    /// Good responses per second; `None` when no time passed.
    pub fn throughput(&self) -> Option<f64> {
        let ns = self.last_ns.checked_sub(self.first_ns).filter(|ns| *ns > 0)?;
        Some(self.responses as f64 * 1e9 / ns as f64)
    }
}

/// The pools of a cell's blocks.
#[derive(Debug, Default)]
pub(crate) struct PoolTally {
    pub peak_instances: Option<u32>,
    /// Peak memory of each instance's cgroup.
    pub memory_peak: Vec<f64>,
    /// Blocks that the cap of requests ended.
    pub capped_blocks: usize,
    /// Blocks in which client and gateway disagree.
    pub disagreeing_blocks: usize,
}

impl PoolTally {
    pub fn add(&mut self, block: &BlockTelemetry, pool: &PoolTelemetry) {
        self.peak_instances = self.peak_instances.max(Some(pool.peak_instances));
        self.capped_blocks += usize::from(pool.capped);
        let fault = pool.agreement.as_ref().and_then(|agreement| agreement.fault());
        self.disagreeing_blocks += usize::from(fault.is_some());
        let peaks = block.instances.iter().filter_map(|group| group.get(Counter::MemoryPeak));
        self.memory_peak.extend(peaks.map(|bytes| bytes as f64));
    }
}
