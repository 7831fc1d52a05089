//! Metrics that are read from the pools at each scrape.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::pool::Standing;
use crate::service::Service;

/// Reads the pools of all services.
pub(super) struct PoolCollector(Vec<Arc<dyn Service>>);

impl PoolCollector {
    pub(super) fn new(services: &[Arc<dyn Service>]) -> Self {
        Self(services.to_vec())
    }
}

impl fmt::Debug for PoolCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|service| service.name())).finish()
    }
}

/// The function's name and its pool's reading.
type Reading<'s> = (&'s str, Standing);

type State = (&'static str, fn(&Standing) -> u32);
const STATES: [State; 3] = [
    ("provisioning", |standing| standing.provisioning),
    ("idle", |standing| standing.idle),
    ("busy", |standing| standing.busy),
];

type Total = (&'static str, &'static str, fn(&Standing) -> u64);
const TOTALS: [Total; 3] = [
    ("lumos_instances_made", "Instances made", |standing| standing.made),
    ("lumos_instances_reclaimed", "Instances reclaimed", |standing| standing.reclaimed),
    ("lumos_instances_failed", "Instances that failed", |standing| standing.failed),
];

impl Collector for PoolCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let readings: Vec<_> = self.0.iter().map(|s| (s.name(), s.standing())).collect();
        encode_instances(&mut encoder, &readings)?;
        encode_queued(&mut encoder, &readings)?;
        encode_totals(&mut encoder, &readings)
    }
}

fn encode_instances(encoder: &mut DescriptorEncoder, readings: &[Reading]) -> fmt::Result {
    let help = "Instances by state";
    let mut metric = encoder.encode_descriptor("lumos_instances", help, None, MetricType::Gauge)?;
    for (function, standing) in readings {
        for (state, count) in STATES {
            let labels = [("function", *function), ("state", state)];
            encode_gauge(metric.encode_family(&labels)?, count(standing))?;
        }
    }
    Ok(())
}

fn encode_queued(encoder: &mut DescriptorEncoder, readings: &[Reading]) -> fmt::Result {
    let help = "Requests that wait for an instance";
    let mut metric =
        encoder.encode_descriptor("lumos_queued_requests", help, None, MetricType::Gauge)?;
    for (function, standing) in readings {
        encode_gauge(metric.encode_family(&[("function", *function)])?, standing.queued)?;
    }
    Ok(())
}

fn encode_totals(encoder: &mut DescriptorEncoder, readings: &[Reading]) -> fmt::Result {
    for (name, help, count) in TOTALS {
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (function, standing) in readings {
            let labels = [("function", *function)];
            ConstCounter::new(count(standing)).encode(metric.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn encode_gauge(encoder: MetricEncoder, value: u32) -> fmt::Result {
    ConstGauge::new(i64::from(value)).encode(encoder)
}
