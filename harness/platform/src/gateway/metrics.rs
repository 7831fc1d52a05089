//! The gateway's metrics, as OpenMetrics 1.0 text.
//!
//! The metrics that a request touches are looked up once, when its function is opened.
//! Counting is then an atomic addition; a histogram takes a short lock.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use lumos_model::cell::Start;
use lumos_model::phase::Phase;
use lumos_model::row::Sample;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::cause::ResponseCause;
use super::pool_metrics::PoolCollector;
use crate::service::Service;

/// The media type of [`Metrics::text`].
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FunctionLabels {
    function: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CauseLabels {
    function: String,
    cause: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StartLabels {
    function: String,
    start: &'static str,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Buckets from 5 us to 84 s, each twice as wide as the one before.
fn histogram() -> Histogram {
    Histogram::new(exponential_buckets(5e-6, 2.0, 25))
}

/// The metrics of one gateway.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<CauseLabels, Counter>,
    durations: Histograms<StartLabels>,
    queued: Histograms<FunctionLabels>,
    cold_starts: Family<FunctionLabels, Counter>,
    pub(super) open_connections: Gauge,
    pub(super) accepted_connections: Counter,
    /// Bytes of request bodies.
    pub(super) bytes_in: Counter,
    /// Bytes of functions' outputs.
    pub(super) bytes_out: Counter,
    /// Requests to paths that do not exist.
    pub(super) unknown_paths: Counter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Metrics of `services`, whose pools are read at each scrape.
    pub(super) fn new(services: &[Arc<dyn Service>]) -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            queued: Family::new_with_constructor(histogram),
            cold_starts: Family::default(),
            open_connections: Gauge::default(),
            accepted_connections: Counter::default(),
            bytes_in: Counter::default(),
            bytes_out: Counter::default(),
            unknown_paths: Counter::default(),
        };
        metrics.register_functions();
        metrics.register_connections();
        metrics.register_start_time();
        metrics.registry.register_collector(Box::new(PoolCollector::new(services)));
        metrics
    }

    fn register_functions(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "lumos_requests",
            "Requests to functions by cause",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "lumos_invocation_duration",
            "Time from a request's head to its response, of requests that an instance served",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register_with_unit(
            "lumos_queue_duration",
            "Time that a served request waited for its instance",
            Unit::Seconds,
            self.queued.clone(),
        );
        let help = "Requests that waited for a new instance";
        registry.register("lumos_cold_starts", help, self.cold_starts.clone());
    }

    fn register_connections(&mut self) {
        let registry = &mut self.registry;
        registry.register("lumos_connections", "Open connections", self.open_connections.clone());
        let help = "Connections accepted so far";
        registry.register("lumos_connections_accepted", help, self.accepted_connections.clone());
        let (bytes_in, bytes_out) = (self.bytes_in.clone(), self.bytes_out.clone());
        let help = "Bodies of requests to functions";
        registry.register_with_unit("lumos_request_body", help, Unit::Bytes, bytes_in);
        let help = "Outputs of functions";
        registry.register_with_unit("lumos_response_body", help, Unit::Bytes, bytes_out);
        let help = "Requests to paths that do not exist";
        registry.register("lumos_unknown_paths", help, self.unknown_paths.clone());
    }

    fn register_start_time(&mut self) {
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.registry.register_with_unit(
            "process_start_time",
            "When the gateway was opened, since the Unix epoch",
            Unit::Seconds,
            ConstGauge::new(began.as_secs_f64()),
        );
    }

    pub(super) fn of_function(&self, name: &str) -> FunctionMetrics {
        let labels = FunctionLabels { function: name.to_owned() };
        let by_cause = ResponseCause::OF_FUNCTIONS.map(|cause| {
            let labels = CauseLabels { function: name.to_owned(), cause: cause.as_str() };
            self.requests.get_or_create_owned(&labels)
        });
        FunctionMetrics {
            function: name.to_owned(),
            by_cause,
            queued: self.queued.get_or_create_owned(&labels),
            cold_starts: self.cold_starts.get_or_create_owned(&labels),
            durations: Default::default(),
            family: self.durations.clone(),
        }
    }

    /// All metrics, as OpenMetrics text.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(8 << 10);
        text::encode(&mut text, &self.registry).expect("writing to a string does not fail");
        text
    }
}

/// The metrics of one function.
#[derive(Debug)]
pub(super) struct FunctionMetrics {
    function: String,
    by_cause: [Counter; ResponseCause::OF_FUNCTIONS.len()],
    queued: Histogram,
    cold_starts: Counter,
    /// By [`Start`]; created when the first such start occurs.
    durations: [OnceLock<Histogram>; Start::ALL.len()],
    family: Histograms<StartLabels>,
}

impl FunctionMetrics {
    /// Counts a request that has ended.
    pub(super) fn count(&self, cause: ResponseCause, sample: &Sample) {
        self.by_cause[cause.index()].inc();
        if sample.instance.is_none() {
            return;
        }
        let seconds = |ns: u64| ns as f64 / 1e9;
        self.duration(sample.start_kind).observe(seconds(sample.total_ns));
        self.queued.observe(seconds(sample.phases_ns.get(Phase::Queue)));
        if sample.start_kind.is_cold() {
            self.cold_starts.inc();
        }
    }

    fn duration(&self, start: Start) -> &Histogram {
        self.durations[start as usize].get_or_init(|| {
            let labels = StartLabels { function: self.function.clone(), start: start.as_str() };
            self.family.get_or_create_owned(&labels)
        })
    }

    /// Adds the number of ended requests to `sums`, by cause.
    pub(super) fn add_causes(&self, sums: &mut BTreeMap<String, u64>) {
        for (cause, counter) in ResponseCause::OF_FUNCTIONS.iter().zip(&self.by_cause) {
            if counter.get() > 0 {
                *sums.entry(cause.as_str().to_owned()).or_default() += counter.get();
            }
        }
    }
}
