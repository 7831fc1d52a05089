//! `lumos trace generate`: arrival times as a CSV.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use lumos_load::arrivals::{Arrivals, Times};
use lumos_model::arrival::{Arrival, Delayed, Rate, Traffic};
use lumos_model::units::Span;

use super::arguments::RecordedTrace;
use crate::exit::Exit;

/// From 0 up to which time arrivals are generated, unless the user sets it.
const DEFAULT_DURATION: Duration = Duration::from_secs(60);

/// Write arrival times as a CSV with the column at_s
///
/// A seed gives the same times on every machine.
#[derive(Debug, Args)]
pub(super) struct Generate {
    #[command(subcommand)]
    kind: Kind,

    /// Seed of random arrivals
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,

    /// Last arrival time [default: 60s; for a trace: all of it]
    #[arg(long, global = true)]
    duration: Option<Span>,

    /// Before this share of the requests, such as 0.1,3s, pause for this long, to force cold
    /// starts
    #[arg(long, global = true, value_name = "SHARE,GAP")]
    delayed: Option<Delayed>,

    /// Write to this file instead of standard output
    #[arg(long, global = true, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// How requests arrive.
#[derive(Debug, Subcommand)]
enum Kind {
    /// Evenly spaced
    Constant {
        /// Requests per second
        #[arg(long)]
        rate: Rate,
    },
    /// A Poisson process: independent of each other
    Poisson {
        /// Mean number of requests per second
        #[arg(long)]
        rate: Rate,
    },
    /// A Poisson process that alternates between two rates
    Burst {
        /// Requests per second during a burst
        #[arg(long)]
        rate: Rate,
        /// Requests per second between bursts
        #[arg(long, default_value = "0")]
        low: Rate,
        /// Duration of a burst
        #[arg(long)]
        on: Span,
        /// Duration of the pause between bursts
        #[arg(long)]
        off: Span,
    },
    /// A Poisson process with a rate that rises or falls linearly
    Ramp {
        /// Requests per second at the start
        #[arg(long)]
        from: Rate,
        /// Requests per second at the end
        #[arg(long)]
        to: Rate,
    },
    /// A Poisson process with one rate after another
    Steps {
        /// Requests per second in each step, such as 10,50,100
        #[arg(long, value_delimiter = ',', required = true)]
        rates: Vec<Rate>,
        /// Duration of each step
        #[arg(long)]
        each: Span,
    },
    /// The times of a recorded trace, such as counts per minute
    Trace(RecordedTrace),
}

impl Kind {
    fn arrival(&self) -> Arrival {
        match self {
            Kind::Constant { rate } => Arrival::Constant { rate: *rate },
            Kind::Poisson { rate } => Arrival::Poisson { rate: *rate },
            Kind::Burst { rate, low, on, off } => {
                Arrival::Burst { rate: *rate, low: *low, on: *on, off: *off }
            }
            Kind::Ramp { from, to } => Arrival::Ramp { from: *from, to: *to },
            Kind::Steps { rates, each } => Arrival::Steps { rates: rates.clone(), each: *each },
            Kind::Trace(trace) => trace.arrival(),
        }
    }
}

impl Generate {
    /// Writes the times to `out`, or to the file that the user names.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let arrival = self.kind.arrival();
        let duration = match (self.duration, &arrival) {
            (Some(duration), _) => duration.0,
            (None, Arrival::Trace { .. }) => Duration::MAX,
            (None, _) => DEFAULT_DURATION,
        };
        let traffic = Traffic { arrival, delayed: self.delayed };
        let Arrivals::Open(times) = Arrivals::new(&traffic, self.seed, duration)? else {
            bail!("a closed loop has no arrival times");
        };
        let comment = format!("# {traffic}, seed {}", self.seed);
        match &self.out {
            None => write(&mut BufWriter::new(out), &comment, *times)?,
            Some(file) => {
                let created = File::create(file);
                let created = created.with_context(|| format!("create {}", file.display()))?;
                write(&mut BufWriter::new(created), &comment, *times)
                    .with_context(|| format!("write {}", file.display()))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn write(out: &mut impl Write, comment: &str, times: Times) -> anyhow::Result<()> {
    writeln!(out, "{comment}\nat_s")?;
    for at in times {
        let at = at?;
        writeln!(out, "{}.{:09}", at / 1_000_000_000, at % 1_000_000_000)?;
    }
    Ok(out.flush()?)
}
