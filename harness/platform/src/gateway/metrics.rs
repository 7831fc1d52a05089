//! What the gateway counts, as OpenMetrics 1.0 text.
//!
//! All that a request touches is looked up once, when its function is opened: counting is
//! an atomic addition, a histogram's a short lock.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use lumos_model::cell::Start;
use lumos_model::phase::Phase;
use lumos_model::row::Sample;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::cause::ResponseCause;
use crate::pool::Standing;
use crate::service::Service;

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfFunction {
    function: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCause {
    function: String,
    cause: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStart {
    function: String,
    start: &'static str,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// From 5 us to 84 s, each twice the last.
fn times() -> Histogram {
    Histogram::new(exponential_buckets(5e-6, 2.0, 25))
}

/// The metrics of one gateway.
pub struct Metrics {
    registry: Registry,
    requests: Family<OfCause, Counter>,
    durations: Histograms<OfStart>,
    queued: Histograms<OfFunction>,
    cold: Family<OfFunction, Counter>,
    /// Open connections.
    pub connections: Gauge,
    /// Connections since the beginning.
    pub accepted: Counter,
    /// Bytes of request bodies.
    pub bytes_in: Counter,
    /// Bytes of the outputs that were answered.
    pub bytes_out: Counter,
    /// Requests to paths that are none of ours.
    pub unknown: Counter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Metrics of `services`, which are asked how they stand at each scrape.
    pub fn new(services: &[Arc<dyn Service>]) -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(times),
            queued: Family::new_with_constructor(times),
            cold: Family::default(),
            connections: Gauge::default(),
            accepted: Counter::default(),
            bytes_in: Counter::default(),
            bytes_out: Counter::default(),
            unknown: Counter::default(),
        };
        metrics.register(services);
        metrics
    }

    fn register(&mut self, services: &[Arc<dyn Service>]) {
        let registry = &mut self.registry;
        registry.register(
            "lumos_requests",
            "Requests to a function, by why they ended",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "lumos_invocation_duration",
            "From a request's head to its answer, of requests that an instance served",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register_with_unit(
            "lumos_queue_duration",
            "How long a request that was served waited for its instance",
            Unit::Seconds,
            self.queued.clone(),
        );
        registry.register(
            "lumos_cold_starts",
            "Requests whose instance was made for them",
            self.cold.clone(),
        );
        registry.register("lumos_connections", "Open connections", self.connections.clone());
        registry.register(
            "lumos_connections_accepted",
            "Connections since the beginning",
            self.accepted.clone(),
        );
        registry.register_with_unit(
            "lumos_request_body",
            "Bodies of requests to functions",
            Unit::Bytes,
            self.bytes_in.clone(),
        );
        registry.register_with_unit(
            "lumos_response_body",
            "Outputs of functions",
            Unit::Bytes,
            self.bytes_out.clone(),
        );
        registry.register(
            "lumos_unknown_paths",
            "Requests to paths that are none of this gateway's",
            self.unknown.clone(),
        );
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        registry.register_with_unit(
            "process_start_time",
            "When the gateway was opened, since the Unix epoch",
            Unit::Seconds,
            ConstGauge::new(began.as_secs_f64()),
        );
        registry.register_collector(Box::new(Pools(services.to_vec())));
    }

    /// The meters of one function.
    pub fn of_function(&self, name: &str) -> Meters {
        let function = || name.to_owned();
        let causes = ResponseCause::OF_FUNCTIONS.map(|ending| {
            let labels = OfCause { function: function(), cause: ending.as_str() };
            self.requests.get_or_create_owned(&labels)
        });
        Meters {
            function: function(),
            causes,
            queued: self.queued.get_or_create_owned(&OfFunction { function: function() }),
            cold: self.cold.get_or_create_owned(&OfFunction { function: function() }),
            durations: Default::default(),
            family: self.durations.clone(),
        }
    }

    /// All of them, as OpenMetrics text.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(8 << 10);
        text::encode(&mut text, &self.registry).expect("a string takes all that is written");
        text
    }
}

/// What is counted of one function.
#[derive(Debug)]
pub struct Meters {
    function: String,
    causes: [Counter; ResponseCause::OF_FUNCTIONS.len()],
    queued: Histogram,
    cold: Counter,
    /// By [`Start`]; made when the first such start occurs.
    durations: [OnceLock<Histogram>; Start::ALL.len()],
    family: Histograms<OfStart>,
}

impl Meters {
    /// Counts a request that ended.
    pub fn count(&self, ending: ResponseCause, sample: &Sample) {
        self.causes[ending.index()].inc();
        if sample.instance.is_none() {
            return;
        }
        let seconds = |ns: u64| ns as f64 / 1e9;
        self.duration(sample.start_kind).observe(seconds(sample.total_ns));
        self.queued.observe(seconds(sample.phases_ns.get(Phase::Queue)));
        if sample.start_kind.is_cold() {
            self.cold.inc();
        }
    }

    fn duration(&self, start: Start) -> &Histogram {
        self.durations[start as usize].get_or_init(|| {
            let labels = OfStart { function: self.function.clone(), start: start.as_str() };
            self.family.get_or_create_owned(&labels)
        })
    }

    /// Adds to `sums` how many requests ended, by cause.
    pub fn add_causes(&self, sums: &mut BTreeMap<String, u64>) {
        for (ending, counter) in ResponseCause::OF_FUNCTIONS.iter().zip(&self.causes) {
            if counter.get() > 0 {
                *sums.entry(ending.as_str().to_owned()).or_default() += counter.get();
            }
        }
    }
}

/// The pools, as they stand at a scrape.
struct Pools(Vec<Arc<dyn Service>>);

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|service| service.name())).finish()
    }
}

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

impl Collector for Pools {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let standings: Vec<_> = self.0.iter().map(|s| (s.name(), s.standing())).collect();
        let mut metric = encoder.encode_descriptor(
            "lumos_instances",
            "Instances by state",
            None,
            MetricType::Gauge,
        )?;
        for (function, standing) in &standings {
            for (state, count) in STATES {
                let labels = [("function", *function), ("state", state)];
                gauge(metric.encode_family(&labels)?, count(standing))?;
            }
        }
        let mut metric = encoder.encode_descriptor(
            "lumos_queued_requests",
            "Requests that wait for an instance",
            None,
            MetricType::Gauge,
        )?;
        for (function, standing) in &standings {
            gauge(metric.encode_family(&[("function", *function)])?, standing.queued)?;
        }
        for (name, help, count) in TOTALS {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (function, standing) in &standings {
                let labels = [("function", *function)];
                let of_function = metric.encode_family(&labels)?;
                ConstCounter::new(count(standing)).encode(of_function)?;
            }
        }
        Ok(())
    }
}

fn gauge(encoder: MetricEncoder, value: u32) -> fmt::Result {
    ConstGauge::new(i64::from(value)).encode(encoder)
}
