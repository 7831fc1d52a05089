//! `lumos trace describe`: rates, gaps and cold starts of a file of arrivals.

use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

use clap::Args;
use lumos_load::arrivals::Arrivals;
use lumos_load::trace::{Description, IDLE, KEEP_ALIVE, Trace, TraceFormat};
use lumos_model::SCHEMA;
use lumos_model::arrival::Traffic;
use lumos_model::units::Span;
use lumos_report::numbers::{duration, percent};
use serde_json::{Value, json};

use super::arguments::RecordedTrace;
use crate::arguments::Format;
use crate::exit::Exit;
use crate::text::join;

/// Describe a trace: rates, gaps, and which share of requests would be cold
#[derive(Debug, Args)]
pub(super) struct Describe {
    #[command(flatten)]
    trace: RecordedTrace,

    /// Seed of the times of requests within their minute
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Describe {
    /// Reads the file, and writes its description to `out`.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let format = Trace::open(&self.trace.file)?.format();
        let traffic = Traffic { arrival: self.trace.arrival(), delayed: None };
        let mut described = Description::new();
        if let Arrivals::Open(times) = Arrivals::new(&traffic, self.seed, Duration::MAX)? {
            for at in *times {
                described.add(at?);
            }
        }
        match self.format {
            Format::Text => {
                let what = match format {
                    TraceFormat::Times => "arrival times",
                    TraceFormat::Minutes => "counts per minute",
                };
                writeln!(out, "{}: {what}", self.trace.file.display())?;
                out.write_all(text(format, &described).as_bytes())?;
            }
            Format::Json => writeln!(out, "{:#}", json(format, &described))?,
        }
        Ok(Exit::Done)
    }
}

/// Writing to a `String` cannot fail, so the results of `writeln!` are not checked.
fn text(format: TraceFormat, described: &Description) -> String {
    if described.count == 0 {
        return "no arrivals\n".to_owned();
    }
    let mut text = String::new();
    if format == TraceFormat::Minutes {
        text += "The times of requests within their minute are random, from the seed.\n";
    }
    let lasts = duration(described.last_ns - described.first_ns);
    let _ = writeln!(text, "\narrivals      {}", described.count);
    let _ = writeln!(text, "duration      {lasts} from the first to the last");
    if let (Some(rate), Some(variation)) = (described.mean_rate(), described.variation()) {
        let peak = described.peak;
        let [p50, p90, p99] =
            [0.5, 0.9, 0.99].map(|q| duration(described.gaps.value_at_quantile(q)));
        let max = duration(described.gaps.max());
        let _ =
            writeln!(text, "rate          {rate:.3}/s on average, {peak} in the busiest second");
        let _ = writeln!(text, "gaps          p50 {p50}, p90 {p90}, p99 {p99}, max {max}");
        let _ = writeln!(
            text,
            "variation     {variation:.2} (standard deviation of the gaps divided by their mean; \
             1 for a Poisson process)"
        );
    }
    let idle = spans(&IDLE, &described.idle);
    let idle = join(idle.map(|(limit, number)| format!("{number} above {limit}")));
    let _ = writeln!(text, "idle gaps     {idle}");
    text += "\nCold starts, if one instance served all requests and took no time:\n";
    for (keep_alive, cold) in spans(&KEEP_ALIVE, &described.cold) {
        let share = percent(described.share(cold));
        let _ = writeln!(text, "  kept alive for {:<4} {cold} ({share})", keep_alive.to_string());
    }
    text
}

/// Counts, each with the span that it belongs to.
fn spans(limits: &[Duration], counts: &[u64]) -> impl Iterator<Item = (Span, u64)> {
    limits.iter().copied().map(Span).zip(counts.iter().copied())
}

fn json(format: TraceFormat, described: &Description) -> Value {
    let by_seconds = |limits: &[Duration], counts: &[u64]| -> Vec<Value> {
        let pairs = limits.iter().zip(counts);
        pairs.map(|(limit, count)| json!({ "above_s": limit.as_secs(), "count": count })).collect()
    };
    let at = |quantile| described.gaps.value_at_quantile(quantile);
    json!({
        "schema": SCHEMA,
        "format": match format { TraceFormat::Times => "times", TraceFormat::Minutes => "minutes" },
        "arrivals": described.count,
        "first_ns": described.first_ns,
        "last_ns": described.last_ns,
        "mean_rate": described.mean_rate(),
        "peak_second": described.peak,
        "gaps_ns": { "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "max": described.gaps.max() },
        "gap_variation": described.variation(),
        "idle_gaps": by_seconds(&IDLE, &described.idle),
        "cold_with_keep_alive": by_seconds(&KEEP_ALIVE, &described.cold),
    })
}
