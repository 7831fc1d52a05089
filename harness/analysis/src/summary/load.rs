//! The numbers of a cell under load.

use std::borrow::Cow;

use lumos_model::phase::Phase;
use lumos_model::quantity::Unit;
use lumos_stats::{Percentile, Reliability, Samples, ci};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use super::estimate::Quantiles;
use crate::gather::{Batch, Blocks, ByDemand, LoadTally, Period};
use crate::method::{FEWEST_PAIRS, full_plan};
use crate::metric::Metric;

/// The numbers of a load. All times are those of good responses, unless they say otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadNumbers {
    /// Requests of all blocks.
    pub requests: usize,
    /// Requests with a good response.
    pub ok: usize,
    /// Good responses per second of each block: from the first intended arrival to the last
    /// one, or to the last good response if that is later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<Spread>,
    /// From the intended arrival to the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Quantiles>,
    /// From the intended arrival until an instance was assigned. A late sending is part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Quantiles>,
    /// The rest of the latency. A cold start and, with the `http` driver, the platform's part
    /// are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Quantiles>,
    /// Good responses that started cold.
    pub cold: usize,
    /// How much later than intended requests were sent, failed ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Quantiles>,
    /// With the `http` driver: the client's latency beyond the gateway's own account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Quantiles>,
    /// CPU time and memory.
    #[serde(flatten)]
    pub resources: Resources,
    /// The most instances that any block had at one time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_instances: Option<u32>,
    /// Blocks that ended at the cap of requests instead of at their duration.
    #[serde(default)]
    pub capped_blocks: usize,
    /// Blocks in which client and gateway disagree about the requests.
    #[serde(default)]
    pub disagreeing_blocks: usize,
    /// Median latency with the `http` driver minus that with the `direct` one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_minus_direct: Option<Difference>,
    /// Throughput of the cell's control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_throughput: Option<Spread>,
}

impl LoadNumbers {
    /// All numbers but the difference to the other driver.
    pub(super) fn of(batch: &Batch, load: &LoadTally, control: &Batch) -> Self {
        let quantiles =
            |metric: Metric| Quantiles::new(batch.samples.values(metric), metric.unit());
        Self {
            requests: batch.invocations,
            ok: batch.samples.len(),
            throughput: throughput(load),
            latency: quantiles(Metric::Total),
            queue: quantiles(Metric::Phase(Phase::Queue)),
            service: quantiles(Metric::Service),
            cold: load.cold,
            late: Quantiles::new(load.late.iter().copied(), Unit::Nanoseconds),
            platform: quantiles(Metric::Platform),
            resources: Resources {
                cpu: quantiles(Metric::Cpu),
                memory_peak: Quantiles::new(load.pool.memory_peak.iter().copied(), Unit::Bytes),
            },
            peak_instances: load.pool.peak_instances,
            capped_blocks: load.pool.capped_blocks,
            disagreeing_blocks: load.pool.disagreeing_blocks,
            http_minus_direct: None,
            control_throughput: match &control.by_demand {
                ByDemand::Load(load) => throughput(load),
                ByDemand::Each => None,
            },
        }
    }

    /// The share of cold starts among the good responses.
    pub fn cold_share(&self) -> Option<f64> {
        (self.ok > 0).then(|| self.cold as f64 / self.ok as f64)
    }
}

fn throughput(load: &LoadTally) -> Option<Spread> {
    Spread::of(load.periods.values().filter_map(Period::throughput))
}

/// What requests and instances use.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Resources {
    /// CPU time of the requests of which it is known.
    pub cpu: Option<Quantiles>,
    /// Peak memory of the instances' cgroups.
    pub memory_peak: Option<Quantiles>,
}

/// In files the medians have keys of their own, too.
impl Serialize for Resources {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(cpu) = &self.cpu {
            map.serialize_entry("cpu_median_ns", &cpu.p50)?;
            map.serialize_entry("cpu", cpu)?;
        }
        if let Some(memory) = &self.memory_peak {
            map.serialize_entry("memory_peak_bytes", &memory.p50)?;
            map.serialize_entry("memory_peak", memory)?;
        }
        map.end()
    }
}

/// A value of each block: its median over the blocks, and the extremes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Median over the blocks.
    pub median: f64,
    /// The least of any block.
    pub least: f64,
    /// The most of any block.
    pub most: f64,
}

impl Spread {
    fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let samples = Samples::new(values).ok()?;
        Some(Self { median: samples.median(), least: samples.min(), most: samples.max() })
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

impl Difference {
    /// Of `http` and `direct`, each with one value per block.
    pub(super) fn of(http: &Blocks, direct: &Blocks, seed: u64) -> Option<Self> {
        let pair = |(number, http): (&u32, &Cow<'_, [f64]>)| {
            Some(http.first()? - direct.get(number)?.first()?)
        };
        let differences = Samples::new(http.iter().filter_map(pair)).ok()?;
        let interval = ci(&differences, Percentile::MEDIAN, &full_plan(seed));
        let is_evidence =
            differences.len() >= FEWEST_PAIRS && interval.reliability < Reliability::TooFewSamples;
        Some(Self {
            ns: interval.estimate.round() as i64,
            ci95_ns: is_evidence.then(|| [interval.lo, interval.hi].map(|ns| ns.round() as i64)),
            paired_blocks: differences.len(),
        })
    }
}
