//! `lumos trace describe`: what is in a file of arrivals.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use lumos_load::arrivals::Arrivals;
use lumos_load::trace::{self, Description, IDLE, KEEP_ALIVE, TraceFormat};
use lumos_model::SCHEMA;
use lumos_model::arrival::{Arrival, Factor, Traffic};
use lumos_model::units::Span;
use lumos_report::numbers::{duration, percent};
use serde_json::{Value, json};

use crate::commands::Exit;
use crate::commands::shared::Format;

/// Say what is in a trace: rates, gaps, and what share would be cold.
#[derive(Debug, Args)]
pub(super) struct Describe {
    /// A CSV of times, or counts by minute in the format of the Azure Functions 2019 trace.
    file: PathBuf,

    /// Of counts by minute only the function whose hash begins so.
    #[arg(long, value_name = "HASH")]
    function: Option<String>,

    /// So many times as many requests.
    #[arg(long, value_name = "X", default_value = "1")]
    scale: Factor,

    /// So many times as fast.
    #[arg(long, value_name = "X", default_value = "1")]
    speed: Factor,

    /// Seed for the places of requests within their minute.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// In which form.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Describe {
    /// Reads the file and writes what is in it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let format = trace::Trace::open(&self.file)?.format();
        let mut described = Description::new();
        let arrival = Arrival::Trace {
            file: self.file.clone(),
            function: self.function.clone(),
            scale: self.scale,
            speed: self.speed,
        };
        let traffic = Traffic { arrival, delayed: None };
        if let Arrivals::Open(times) = Arrivals::new(&traffic, self.seed, Duration::MAX)? {
            for at in *times {
                described.add(at?);
            }
        }
        match self.format {
            Format::Text => self.write_text(out, format, &described)?,
            Format::Json => writeln!(out, "{:#}", json_of(format, &described))?,
        }
        Ok(Exit::Done)
    }

    fn write_text(
        &self,
        out: &mut dyn Write,
        format: TraceFormat,
        described: &Description,
    ) -> anyhow::Result<()> {
        let what = match format {
            TraceFormat::Times => "arrival times",
            TraceFormat::Minutes => "counts by minute",
        };
        writeln!(out, "{}: {what}", self.file.display())?;
        if described.count == 0 {
            return Ok(writeln!(out, "no arrivals")?);
        }
        if format == TraceFormat::Minutes {
            writeln!(out, "Where in its minute a request falls is drawn from the seed.")?;
        }
        let lasts = duration(described.last_ns - described.first_ns);
        writeln!(out, "\narrivals      {}", described.count)?;
        writeln!(out, "duration      {lasts} from the first to the last")?;
        if let (Some(rate), Some(variation)) = (described.mean_rate(), described.variation()) {
            let peak = described.peak;
            writeln!(out, "rate          {rate:.3}/s in the mean, {peak} in the busiest second")?;
            let at = |quantile| duration(described.gaps.value_at_quantile(quantile));
            writeln!(
                out,
                "gaps          p50 {}, p90 {}, p99 {}, max {}",
                at(0.5),
                at(0.9),
                at(0.99),
                duration(described.gaps.max())
            )?;
            writeln!(
                out,
                "variation     {variation:.2} (standard deviation of the gaps by their mean; \
                 Poisson has 1)"
            )?;
        }
        let spans = |limits: &[Duration], counts: &[u64]| -> Vec<(String, u64)> {
            limits.iter().map(|limit| Span(*limit).to_string()).zip(counts.to_vec()).collect()
        };
        let idle = spans(&IDLE, &described.idle);
        let idle: Vec<_> = idle.iter().map(|(limit, n)| format!("{n} above {limit}")).collect();
        writeln!(out, "idle gaps     {}", idle.join(", "))?;
        writeln!(out, "\nWould be cold, if one instance served all and took no time:")?;
        for (keep_alive, cold) in spans(&KEEP_ALIVE, &described.cold) {
            let share = percent(described.share(cold));
            writeln!(out, "  kept alive for {keep_alive:<4} {cold} ({share})")?;
        }
        Ok(())
    }
}

fn json_of(format: TraceFormat, described: &Description) -> Value {
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
