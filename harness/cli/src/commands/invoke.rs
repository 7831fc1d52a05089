//! `lumos invoke`.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use lumos_model::cell::{Cell, Demand, Isolation, Size, Start, Storage, Target};
use lumos_model::protocol::Limits;
use lumos_model::row::{Outcome, Sample};
use lumos_model::units::{ByteSize, Span};
use lumos_report::numbers;
use lumos_runner::artifacts::Artifacts;
use lumos_runner::block;
use lumos_runner::checks::{check_cell, check_function, has_inputs};
use lumos_runner::hosts::{ClientError, discover};
use lumos_runner::interrupt;
use lumos_runner::session::{Preparation, Purpose, RequestSource, Session, Settings};
use lumos_scenario::scenario::{Connection, Pinning};
use serde::de::IgnoredAny;

use crate::arguments::{ArtifactsFolder, Format, RedisServer};
use crate::exit::Exit;
use crate::terminal::warn_all;
use crate::text::{Table, join};

/// Longest part of an output that is shown, in characters.
const MAX_OUTPUT_SHOWN: usize = 200;
/// Invocations before a warm sample.
const WARMUP: u32 = 3;

/// Invoke a function once, and show where the time went
///
/// Exit code: 0 when the invocation succeeded, 1 when it failed, 2 for bad usage or input.
#[derive(Debug, Args)]
pub(super) struct InvokeCommand {
    /// The function (see `lumos list functions`)
    function: String,

    /// Runtime and mode (see `lumos list targets`)
    #[arg(long)]
    target: Target,

    #[arg(long, default_value = "tiny", conflicts_with = "payload",
          help = format!("Size group of the input: {}", join(Size::ALL)))]
    size: Size,

    /// Request as JSON, instead of the one for a size group
    #[arg(long, value_name = "JSON")]
    payload: Option<String>,

    #[arg(long, default_value = "inline",
          help = format!("Where the function finds its input and leaves its output: {}",
                         join(Storage::ALL)))]
    storage: Storage,

    #[arg(long, help = format!("What is new for the invocation: {} [default: cold:process, or \
                                cold:module in a thread]", join(Start::SINGLE)))]
    start: Option<Start>,

    /// Where the instance lives: in a process of its own, or in a thread of the host
    #[arg(long, default_value = "process")]
    isolation: Isolation,

    /// Memory limit of the instance, such as 512MiB
    #[arg(long)]
    memory: Option<ByteSize>,

    /// CPU limit of the instance, in cores
    #[arg(long)]
    cpus: Option<f64>,

    /// Time limit of the invocation
    #[arg(long, default_value = "60s")]
    timeout: Span,

    /// Seed of the input
    #[arg(long, default_value_t = 42)]
    seed: u64,

    #[command(flatten)]
    redis: RedisServer,

    #[command(flatten)]
    artifacts: ArtifactsFolder,

    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl InvokeCommand {
    /// Invokes the function, and writes its sample to `out`.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let cell = self.cell();
        let hosts = discover().context("look for hosts next to lumos")?;
        check_cell(&hosts, &cell)?;
        let artifacts = self.artifacts.open()?;
        self.check_request(&artifacts)?;
        interrupt::install()?;
        let mut session = Session::new(hosts, artifacts, self.settings());
        warn_all(&session.warnings);
        let sample = self.invoke(&mut session, &cell)?;
        match self.format {
            Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&sample)?)?,
            Format::Text => write!(out, "{}", text(&cell, &sample))?,
        }
        Ok(if sample.outcome == Outcome::Ok { Exit::Done } else { Exit::MeasuredFailure })
    }

    /// The sample of the invocation. A host that dies is its outcome.
    fn invoke(&self, session: &mut Session, cell: &Cell) -> anyhow::Result<Sample> {
        let request = match &self.payload {
            None => {
                session.provide([cell])?;
                RequestSource::Generated
            }
            Some(payload) => {
                session.open_storage(cell.storage)?;
                RequestSource::Payload(payload)
            }
        };
        let purpose = Purpose::Measure;
        let prepare = session.prepare(Preparation { cell, request, purpose })?;
        match block::once(session, cell, prepare) {
            Ok(sample) => Ok(sample),
            Err(error @ (ClientError::Interrupted(_) | ClientError::Refused(_))) => {
                Err(error.into())
            }
            Err(error) => Ok(block::failed_sample(cell.start(), &error)),
        }
    }

    fn check_request(&self, artifacts: &Artifacts) -> anyhow::Result<()> {
        check_function(&self.function, artifacts)?;
        match &self.payload {
            None if !has_inputs(&self.function) => {
                bail!("{} has no generated inputs: give --payload", self.function)
            }
            None => Ok(()),
            Some(payload) => serde_json::from_str::<IgnoredAny>(payload)
                .map(drop)
                .with_context(|| format!("--payload {payload}: it is not JSON")),
        }
    }

    fn cell(&self) -> Cell {
        let default = match self.isolation {
            Isolation::Process => Start::ColdProcess,
            Isolation::Thread => Start::ColdModule,
        };
        Cell {
            function: self.function.clone(),
            size: self.size,
            target: self.target.clone(),
            isolation: self.isolation,
            storage: self.storage,
            demand: Demand::Each(self.start.unwrap_or(default)),
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            seed: self.seed,
            limits: Limits { cpus: self.cpus, memory: self.memory, timeout: self.timeout },
            connection: Connection::Request,
            warmup: WARMUP,
            gap: Span(Duration::ZERO),
            core: Pinning::default().core(),
            redis_url: self.redis.url.clone(),
        }
    }
}

fn text(cell: &Cell, sample: &Sample) -> String {
    format!("{cell}\n\n{}\n{}", phases(sample), facts(sample))
}

fn phases(sample: &Sample) -> String {
    let mut table = Table::new(["phase", "time", "share"]).align_right(1..3);
    let share = |ns: u64| format!("{:.1} %", 100.0 * ns as f64 / sample.total_ns.max(1) as f64);
    for (phase, ns) in sample.phases_ns.iter() {
        table.row([phase.to_string(), numbers::duration(ns), share(ns)]);
    }
    table.row(["total".to_owned(), numbers::duration(sample.total_ns), share(sample.total_ns)]);
    table.lines()
}

fn facts(sample: &Sample) -> String {
    let bytes = |bytes: Option<u64>| bytes.map(numbers::bytes);
    let facts = [
        ("outcome", Some(sample.outcome.to_string())),
        ("error", sample.error.clone()),
        ("cpu", sample.cpu_ns.map(numbers::duration)),
        ("memory", bytes(sample.memory_peak_bytes).map(|b| format!("{b} peak of its cgroup"))),
        ("linear", bytes(sample.linear_memory_bytes).map(|b| format!("{b} of linear memory"))),
        ("output", output(sample)),
    ];
    let line = |(name, fact): (&str, Option<String>)| Some(format!("{name:<7}  {}\n", fact?));
    facts.into_iter().filter_map(line).collect()
}

fn output(sample: &Sample) -> Option<String> {
    let (output, bytes) = (sample.output.as_ref()?, sample.output_bytes?);
    let shown: String = output.chars().take(MAX_OUTPUT_SHOWN).collect();
    let more = if shown.len() < output.len() { "..." } else { "" };
    Some(format!("{bytes} bytes: {shown}{more}"))
}
