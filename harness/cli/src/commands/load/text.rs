//! A load's result for people.

use std::fmt::Write;

use hdrhistogram::Histogram;
use lumos_load::http::{Outcome, Report};
use lumos_load::pacer::SendError;
use lumos_model::health::BlockHealth;
use lumos_model::row::Taint;
use lumos_report::numbers::{bytes, duration, percent};

use super::Asked;
use crate::commands::shared::{align_right, lines, table};

/// Rows of the histogram.
const ROWS: usize = 10;
/// Width of its longest bar.
const BAR: usize = 40;
/// A tick of the kernel's counts of CPU time (`USER_HZ`, time(7)).
const TICK_MS: u64 = 10;

pub(super) fn text(asked: &Asked, report: &Report, health: &BlockHealth) -> String {
    let mut text = String::new();
    head(&mut text, asked, report);
    if report.answered() > 0 {
        let open = !asked.traffic.arrival.is_closed();
        times(&mut text, report, open);
        histogram(&mut text, &report.latency);
    }
    counts(&mut text, asked, report);
    machine(&mut text, health);
    remarks(&mut text, report);
    text
}

/// Writing into a `String` cannot fail.
macro_rules! say {
    ($text:expr, $($what:tt)*) => {{
        let _ = writeln!($text, $($what)*);
    }};
}

fn head(text: &mut String, asked: &Asked, report: &Report) {
    let seconds = report.elapsed().as_secs_f64();
    let how = if asked.traffic.arrival.is_closed() { "closed loop" } else { "open loop" };
    let ended = if report.stopped { ", stopped by a signal" } else { "" };
    let Asked { url, target, traffic, .. } = asked;
    say!(text, "{} {url}  {how}, {traffic}, {seconds:.2} s{ended}\n", target.method);
    say!(text, "requests     {}", report.requests);
    say!(text, "responses    {}  {:.1}/s", report.answered(), report.rate());
    let rate = (report.bytes_read as f64 / seconds.max(1e-9)) as u64;
    say!(text, "bytes read   {}  {}/s", bytes(report.bytes_read), bytes(rate));
    say!(text, "connections  {}\n", report.connections);
}

fn times(text: &mut String, report: &Report, open: bool) {
    let mut table = table(["", "min", "mean", "p50", "p90", "p99", "p99.9", "max"]);
    align_right(&mut table, 1..8);
    let latency = if open { "latency, from the intended time" } else { "latency" };
    table.add_row(row(latency, &report.latency));
    if open {
        table.add_row(row("service, from the sending", &report.service));
    }
    text.push_str(&lines(&table));
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

/// Latencies in steps that grow evenly on a logarithmic scale.
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

fn counts(text: &mut String, asked: &Asked, report: &Report) {
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
    let error = report.send_error;
    if !asked.traffic.arrival.is_closed() && error.sends > 0 {
        let [p50, p99, max] = [error.p50_ns, error.p99_ns, error.max_ns].map(duration);
        let usual =
            if report.raised_priority { "" } else { "; at the usual priority, root's is higher" };
        say!(text, "send error    p50 {p50}, p99 {p99}, max {max}{usual}");
        let share = percent(error.late as f64 / error.sends as f64);
        let waited = match report.late_for_connection {
            0 => String::new(),
            count => format!(", {count} of them waited for a connection"),
        };
        let SendError { late, sends, .. } = error;
        say!(text, "late sends    {late} of {sends} by more than 1 ms ({share}){waited}");
    }
}

/// What the machine did meanwhile that is in the times too.
fn machine(text: &mut String, health: &BlockHealth) {
    // The server may run here too: that cores are wanted is what a load is for.
    let taints = health.taints().into_iter().filter(|taint| *taint != Taint::Load);
    let taints: Vec<_> = taints.map(|taint| taint.as_str()).collect();
    // No share: the ticks that the machine was busy are too few to set this against.
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
            "\nTimes are those of the {} responses; the other {unanswered} requests are not in \
            them.",
            report.answered()
        );
    }
    if report.outcome(Outcome::Timeout) > 0 {
        say!(text, "A request that timed out would have taken longer than --timeout.");
    }
}
