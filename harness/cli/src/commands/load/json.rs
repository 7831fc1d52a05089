//! The result of a load, for programs.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use lumos_model::SCHEMA;
use serde_json::{Value, json};

use super::sent::Sent;

/// Everything that the text shows, with exact numbers.
pub(super) fn json(sent: &Sent) -> Value {
    let Sent { url, target, traffic, seed, report, health } = sent;
    let outcomes: BTreeMap<_, _> =
        report.outcomes.iter().map(|(outcome, count)| (outcome.as_str(), count)).collect();
    let seconds = report.elapsed().as_secs_f64();
    json!({
        "schema": SCHEMA,
        "url": url,
        "address": target.addr,
        "method": target.method.as_str(),
        "traffic": traffic,
        "seed": seed,
        "elapsed_s": seconds,
        "requests": report.requests,
        "responses": report.answered(),
        "responses_per_second": report.rate(),
        "bytes_read": report.bytes_read,
        "bytes_per_second": report.bytes_read as f64 / seconds.max(1e-9),
        "connections": report.connections,
        "outcomes": outcomes,
        "statuses": report.statuses,
        "errors": report.errors,
        "latency_ns": times(&report.latency),
        "service_ns": times(&report.service),
        "send_error": {
            "runs_first": report.raised_priority,
            "sends": report.send_error.sends,
            "late": report.send_error.late,
            "late_for_connection": report.late_for_connection,
            "p50_ns": report.send_error.p50_ns,
            "p99_ns": report.send_error.p99_ns,
            "max_ns": report.send_error.max_ns,
        },
        "machine": health,
        "ended_by_number": report.capped,
        "stopped": report.stopped,
    })
}

/// Times in nanoseconds; `null` when no response came.
fn times(histogram: &Histogram<u64>) -> Value {
    if histogram.is_empty() {
        return Value::Null;
    }
    let at = |quantile| histogram.value_at_quantile(quantile);
    json!({
        "min": histogram.min(), "mean": histogram.mean(), "stdev": histogram.stdev(),
        "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p99_9": at(0.999),
        "max": histogram.max(),
    })
}
