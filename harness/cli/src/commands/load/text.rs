//! The result of a load, for people.

use std::fmt::Write;

use hdrhistogram::Histogram;
use lumos_load::http::{Outcome, Report};
use lumos_load::pacer::SendError;
use lumos_model::health::BlockHealth;
use lumos_model::row::Taint;
use lumos_report::numbers::{bytes, duration, percent};

use super::sent::Sent;
use crate::text::Table;

/// Rows of the histogram.
const ROWS: usize = 10;
/// Width of its longest bar.
const BAR: usize = 40;
/// Milliseconds of a tick, the unit in which the kernel counts CPU time (`USER_HZ`, time(7)).
const TICK_MS: u64 = 10;

pub(super) fn text(sent: &Sent) -> String {
    let report = &sent.report;
    let mut text = String::new();
    head(&mut text, sent);
    if report.answered() > 0 {
        times(&mut text, sent);
        histogram(&mut text, &report.latency);
    }
    counts(&mut text, report);
    if !sent.traffic.arrival.is_closed() {
        send_error(&mut text, report);
    }
    machine(&mut text, &sent.health);
    remarks(&mut text, report);
    text
}

/// Writes a line to a `String`, which cannot fail.
macro_rules! say {
    ($text:expr, $($what:tt)*) => {{
        let _ = writeln!($text, $($what)*);
    }};
}

fn head(text: &mut String, sent: &Sent) {
    let Sent { url, target, traffic, report, .. } = sent;
    let seconds = report.elapsed().as_secs_f64();
    let how = if traffic.arrival.is_closed() { "closed loop" } else { "open loop" };
    let ended = if report.stopped { ", stopped by a signal" } else { "" };
    say!(text, "{} {url}  {how}, {traffic}, {seconds:.2} s{ended}\n", target.method);
    say!(text, "requests     {}", report.requests);
    say!(text, "responses    {}  {:.1}/s", report.answered(), report.rate());
    let rate = (report.bytes_read as f64 / seconds.max(1e-9)) as u64;
    say!(text, "bytes read   {}  {}/s", bytes(report.bytes_read), bytes(rate));
    say!(text, "connections  {}\n", report.connections);
}

fn times(text: &mut String, sent: &Sent) {
    let header = ["", "min", "mean", "p50", "p90", "p99", "p99.9", "max"];
    let mut table = Table::new(header).align_right(1..header.len());
    if sent.traffic.arrival.is_closed() {
        table.row(row("latency", &sent.report.latency));
    } else {
        table.row(row("latency, from the intended time", &sent.report.latency));
        table.row(row("service, from the send time", &sent.report.service));
    }
    text.push_str(&table.lines());
    text.push('\n');
}

fn row(name: &str, histogram: &Histogram<u64>) -> Vec<String> {
    let at = |quantile| duration(histogram.value_at_quantile(quantile));
    vec![
        name.to_owned(),
        duration(histogram.min()),
        duration(histogram.mean() as u64),
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        duration(histogram.max()),
    ]
}

/// Latencies in buckets of equal width on a logarithmic scale.
fn histogram(text: &mut String, latency: &Histogram<u64>) {
    let low = latency.min().max(1) as f64;
    let step = ((latency.max() as f64 / low).ln() / ROWS as f64).exp();
    let mut limits: Vec<u64> =
        (1..=ROWS).map(|i| (low * step.powi(i as i32)).ceil() as u64).collect();
    limits.dedup();
    let mut counts = vec![0u64; limits.len()];
    for value in latency.iter_recorded() {
        let place = limits.partition_point(|limit| *limit < value.value_iterated_to());
        counts[place.min(limits.len() - 1)] += value.count_at_value();
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    say!(text, "latency up to");
    for (limit, count) in limits.iter().zip(&counts) {
        let bar = (*count as u128 * BAR as u128).div_ceil(u128::from(most)) as usize;
        say!(text, "  {:>8}  {:<BAR$}  {count}", duration(*limit), "#".repeat(bar));
    }
    text.push('\n');
}

fn counts(text: &mut String, report: &Report) {
    let list = |pairs: Vec<(String, u64)>| {
        let shown: Vec<_> = pairs.iter().map(|(what, count)| format!("{what}: {count}")).collect();
        if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
    };
    let statuses = report.statuses.iter().map(|(status, count)| (status.to_string(), *count));
    let outcomes = report.outcomes.iter().map(|(o, count)| (o.as_str().to_owned(), *count));
    say!(text, "status codes  {}", list(statuses.collect()));
    say!(text, "outcomes      {}", list(outcomes.collect()));
    for (error, count) in &report.errors {
        say!(text, "error         {error}: {count}");
    }
}

/// How much later than intended requests were sent.
fn send_error(text: &mut String, report: &Report) {
    let SendError { late, sends, p50_ns, p99_ns, max_ns, .. } = report.send_error;
    if sends == 0 {
        return;
    }
    let [p50, p99, max] = [p50_ns, p99_ns, max_ns].map(duration);
    let priority = match report.raised_priority {
        true => "",
        false => "; at normal priority, which root can raise",
    };
    say!(text, "send error    p50 {p50}, p99 {p99}, max {max}{priority}");
    let share = percent(late as f64 / sends as f64);
    let waited = match report.late_for_connection {
        0 => String::new(),
        count => format!(", {count} of them waited for a connection"),
    };
    say!(text, "late sends    {late} of {sends} by more than 1 ms ({share}){waited}");
}

/// What happened on the machine that affects the times.
fn machine(text: &mut String, health: &BlockHealth) {
    // The server may run here too, and a load is meant to keep it busy.
    let taints = health.taints().into_iter().filter(|taint| *taint != Taint::Load);
    let taints: Vec<_> = taints.map(|taint| taint.as_str()).collect();
    // A time, not a share: in a short load the machine counts too few busy ticks for a share.
    let stolen = health.stolen_ticks.filter(|ticks| *ticks > 0);
    let stolen = stolen.map(|ticks| format!("{} ms of CPU time stolen", ticks * TICK_MS));
    let taints = (!taints.is_empty()).then(|| format!("tainted by {}", taints.join(", ")));
    let all: Vec<_> = stolen.into_iter().chain(taints).collect();
    if !all.is_empty() {
        say!(text, "machine       {}", all.join("; "));
    }
}

fn remarks(text: &mut String, report: &Report) {
    let unanswered = report.requests - report.answered();
    if unanswered > 0 && report.answered() > 0 {
        say!(
            text,
            "\nTimes are those of the {} responses; the other {unanswered} requests are not \
             included.",
            report.answered()
        );
    }
    if report.outcome(Outcome::Timeout) > 0 {
        say!(text, "A request that timed out would have taken longer than --timeout.");
    }
}
