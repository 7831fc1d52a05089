//! `lumos trace generate`: the times of a kind of arrival as a CSV.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use lumos_load::arrivals::{Arrivals, Times};
use lumos_model::arrival::{Arrival, Delayed, Factor, Rate, Traffic};
use lumos_model::units::Span;

use crate::commands::Exit;

/// Write arrival times as a CSV with the column at_s, the same ones for a seed on every
/// machine.
#[derive(Debug, Args)]
pub(super) struct Generate {
    #[command(subcommand)]
    kind: Kind,

    /// Seed of what is random.
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,

    /// Times from 0 up to this [default: 60s; of a trace: all].
    #[arg(long, global = true)]
    duration: Option<Span>,

    /// Before this share of the requests nothing arrives for so long: forces cold starts.
    #[arg(long, global = true, value_name = "SHARE,GAP")]
    delayed: Option<Delayed>,

    /// Write to this file instead of standard output.
    #[arg(long, global = true, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// How requests arrive. Rates are in requests a second.
#[derive(Debug, Subcommand)]
enum Kind {
    /// At even distances.
    Constant {
        /// Requests a second.
        #[arg(long)]
        rate: Rate,
    },
    /// Independent of each other.
    Poisson {
        /// Requests a second, in the mean.
        #[arg(long)]
        rate: Rate,
    },
    /// Poisson at one rate for a while, then at another, and again.
    Burst {
        /// Requests a second in a burst.
        #[arg(long)]
        rate: Rate,
        /// Requests a second between bursts.
        #[arg(long, default_value = "0")]
        low: Rate,
        /// How long a burst lasts.
        #[arg(long)]
        on: Span,
        /// How long it is quiet between two bursts.
        #[arg(long)]
        off: Span,
    },
    /// Poisson with a rate that rises or falls evenly.
    Ramp {
        /// Requests a second at the beginning.
        #[arg(long)]
        from: Rate,
        /// Requests a second at the end.
        #[arg(long)]
        to: Rate,
    },
    /// Poisson at one rate after the other.
    Steps {
        /// Requests a second of each step, such as 10,50,100.
        #[arg(long, value_delimiter = ',', required = true)]
        rates: Vec<Rate>,
        /// How long each step lasts.
        #[arg(long)]
        each: Span,
    },
    /// The times of another trace, such as counts by minute.
    Trace {
        /// The file.
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
    },
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
            Kind::Trace { file, function, scale, speed } => Arrival::Trace {
                file: file.clone(),
                function: function.clone(),
                scale: *scale,
                speed: *speed,
            },
        }
    }
}

impl Generate {
    /// Writes the times.
    ///
    /// # Errors
    /// When a value makes no sense, or a file cannot be read or written.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let arrival = self.kind.arrival();
        let duration = match (self.duration, &arrival) {
            (Some(duration), _) => duration.0,
            (None, Arrival::Trace { .. }) => Duration::MAX,
            (None, _) => Duration::from_secs(60),
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
