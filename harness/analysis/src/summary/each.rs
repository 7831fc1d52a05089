//! The numbers of a cell that is measured one invocation at a time.

use std::collections::BTreeMap;

use lumos_model::phase::Phase;
use lumos_model::quantity::Unit;
use lumos_stats::{Bootstrap, Samples};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::estimate::Estimate;
use crate::gather::Batch;
use crate::method::{FEW_SAMPLES, full_plan, quick_plan};
use crate::metric::Metric;

/// The numbers of the counted samples: those that ended well, with the right start kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EachNumbers {
    /// Number of counted samples.
    pub n: usize,
    /// Whether `n` is below [`FEW_SAMPLES`].
    pub few_samples: bool,
    /// Invocations that were served with another start kind than the cell's.
    pub wrong_start: usize,
    /// Totals beyond Tukey's fences. They count like the others.
    pub outliers: usize,
    /// What was measured; empty when `n` is 0.
    #[serde(flatten)]
    pub estimates: Estimates,
}

impl EachNumbers {
    pub(super) fn of(batch: &Batch, seed: u64) -> Self {
        let n = batch.samples.len();
        let total = Samples::new(batch.samples.values(Metric::Total)).ok();
        Self {
            n,
            few_samples: n < FEW_SAMPLES,
            wrong_start: batch.wrong_start,
            outliers: total.map_or(0, |total| total.outliers().total()),
            estimates: Estimates::of(batch, seed),
        }
    }

    /// From the intended arrival to the response.
    pub fn total(&self) -> Option<Estimate> {
        self.estimates.get(Metric::Total)
    }
}

/// An estimate of each metric that any sample has. A sample without a phase counts as 0 ns;
/// a sample without another metric does not count for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimates(BTreeMap<Metric, Estimate>);

impl Estimates {
    fn of(batch: &Batch, seed: u64) -> Self {
        let (full, quick) = (full_plan(seed), quick_plan(seed));
        let plan = |metric: Metric| -> &Bootstrap {
            match metric {
                Metric::Total | Metric::ColdStart => &full,
                _ => &quick,
            }
        };
        let estimate = |metric: Metric| {
            let samples = Samples::new(batch.samples.values(metric)).ok()?;
            Some((metric, Estimate::new(&samples, metric.unit(), plan(metric))))
        };
        Self(batch.samples.metrics().filter_map(estimate).collect())
    }

    /// The estimate of `metric`.
    pub fn get(&self, metric: Metric) -> Option<Estimate> {
        self.0.get(&metric).copied()
    }

    /// The phases that occurred, in their order.
    pub fn phases(&self) -> impl Iterator<Item = (Phase, Estimate)> + '_ {
        self.0.iter().filter_map(|(metric, estimate)| match metric {
            Metric::Phase(phase) => Some((*phase, *estimate)),
            _ => None,
        })
    }
}

/// Estimates as files hold them. Sizes have their median under a key of its own, too, such
/// as `memory_peak_bytes`.
#[derive(Deserialize)]
struct Fields {
    total: Option<Estimate>,
    cold_start: Option<Estimate>,
    phases: BTreeMap<Phase, Estimate>,
    cpu: Option<Estimate>,
    memory_peak: Option<Estimate>,
    linear_memory: Option<Estimate>,
}

impl Serialize for Estimates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let phases: BTreeMap<Phase, Estimate> = self.phases().collect();
        map.serialize_entry("phases", &phases)?;
        for (metric, estimate) in &self.0 {
            if matches!(metric, Metric::Phase(_)) {
                continue;
            }
            let median = estimate.median();
            if median.unit == Unit::Bytes {
                map.serialize_entry(&median.unit.key(metric.as_str()), &median.value)?;
            }
            map.serialize_entry(metric.as_str(), estimate)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Estimates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        let named = [
            (Metric::Total, fields.total),
            (Metric::ColdStart, fields.cold_start),
            (Metric::Cpu, fields.cpu),
            (Metric::MemoryPeak, fields.memory_peak),
            (Metric::LinearMemory, fields.linear_memory),
        ];
        let named = named.into_iter().filter_map(|(metric, of)| Some((metric, of?)));
        let phases = fields.phases.into_iter().map(|(phase, of)| (Metric::Phase(phase), of));
        Ok(Self(named.chain(phases).collect()))
    }
}
