//! `lumos invoke`.

use std::io::Write;

use anyhow::{Context, bail};
use clap::Args;
use lumos_model::cell::{Cell, Demand, Isolation, Size, Start, Storage, Target};
use lumos_model::protocol::Limits;
use lumos_model::row::{Outcome, Sample};
use lumos_model::units::{ByteSize, Span};
use lumos_report::{numbers, warnings};
use lumos_runner::artifacts::Artifacts;
use lumos_runner::block;
use lumos_runner::discovery;
use lumos_runner::host_client::ClientError;
use lumos_runner::interrupt;
use lumos_runner::session::{Session, Settings};
use lumos_scenario::hosts;
use lumos_scenario::scenario::{Connection, Pinning};
use lumos_scenario::words::closest;
use serde::de::IgnoredAny;

use super::Exit;
use super::shared::{ArtifactsFolder, Format, function_names};

/// Invoke a function once and show where its time went.
#[derive(Debug, Args)]
pub struct Invoke {
    /// The function; `lumos list functions` shows them.
    function: String,

    /// Runtime and mode; `lumos list targets` shows them.
    #[arg(long)]
    target: Target,

    /// Size group of the input.
    #[arg(long, default_value = "tiny", conflicts_with = "payload")]
    size: Size,

    /// A request of your own, as JSON, instead of a size group's.
    #[arg(long, value_name = "JSON")]
    payload: Option<String>,

    /// Where the function finds its input and leaves its output.
    #[arg(long, default_value = "inline")]
    storage: Storage,

    /// What is new for the invocation [default: cold:process, or cold:module in a thread].
    #[arg(long)]
    start: Option<Start>,

    /// Where the instance lives.
    #[arg(long, default_value = "process")]
    isolation: Isolation,

    /// Bound on the instance's memory, such as 512MiB.
    #[arg(long)]
    memory: Option<ByteSize>,

    /// Bound on the instance's cores.
    #[arg(long)]
    cpus: Option<f64>,

    /// Longest time of the invocation.
    #[arg(long, default_value = "60s")]
    timeout: Span,

    /// Seed of the input.
    #[arg(long, default_value_t = 42)]
    seed: u64,

    /// Use this Redis server instead of starting one.
    #[arg(long, value_name = "URL")]
    redis_url: Option<String>,

    #[command(flatten)]
    artifacts: ArtifactsFolder,

    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Invoke {
    /// Invokes the function.
    ///
    /// # Errors
    /// When the target cannot run it here, or the input is bad.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let cell = self.cell();
        let hosts = discovery::discover()?;
        let capability = hosts::capability(&hosts, &self.target).map_err(anyhow::Error::msg)?;
        if let Some(refusal) = capability.refusal(cell.isolation, cell.start(), cell.storage) {
            bail!(refusal);
        }
        let artifacts = self.artifacts.open()?;
        self.check_request(&artifacts)?;
        interrupt::install()?;
        let mut session = Session::new(hosts, artifacts, self.settings());
        for loss in &session.losses {
            eprintln!("warning: {}", warnings::words(loss));
        }
        let prepare = match &self.payload {
            None => {
                session.provide(std::iter::once(&cell), self.redis_url.as_deref())?;
                session.prepare(&cell)?
            }
            Some(payload) => {
                session.provide_storage(cell.storage, self.redis_url.as_deref())?;
                let (artifact, _) = session.artifact(&self.function, &self.target)?;
                session.prepare_with(&cell, artifact, payload.clone())?
            }
        };
        let sample = match block::once(&session, &cell, prepare) {
            Ok(sample) => sample,
            Err(error @ (ClientError::Interrupted(_) | ClientError::Refused(_))) => {
                return Err(error.into());
            }
            Err(error) => block::failed_sample(cell.start(), &error),
        };
        match self.format {
            Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&sample)?)?,
            Format::Text => write!(out, "{}", render(&cell, &sample))?,
        }
        Ok(if sample.outcome == Outcome::Ok { Exit::Done } else { Exit::MeasuredFailure })
    }

    /// Finds slips before anything is started.
    fn check_request(&self, artifacts: &Artifacts) -> anyhow::Result<()> {
        let has_inputs = function_names().contains(&self.function.as_str());
        let is_built = artifacts.manifest().artifacts.iter().any(|a| a.function == self.function);
        match &self.payload {
            None if !has_inputs && is_built => {
                bail!("{} has no inputs of its own: give --payload", self.function)
            }
            _ if !has_inputs && !is_built => {
                let near = closest(&self.function, function_names());
                let hint = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
                bail!(
                    "there is no function `{}`: {hint}`lumos list functions` shows those that are",
                    self.function
                )
            }
            None => Ok(()),
            Some(payload) => serde_json::from_str::<IgnoredAny>(payload)
                .map(|_| ())
                .with_context(|| format!("--payload {payload}: it is no JSON")),
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
            warmup: 3,
            gap: Span(std::time::Duration::ZERO),
            core: Pinning::default().core(),
        }
    }
}

/// Longest part of an output that is shown.
const OUTPUT_SHOWN: usize = 200;

fn render(cell: &Cell, sample: &Sample) -> String {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(["phase", "time", "share"]);
    let share = |ns: u64| format!("{:.1} %", 100.0 * ns as f64 / sample.total_ns.max(1) as f64);
    for (phase, ns) in sample.phases_ns.iter() {
        table.add_row([phase.to_string(), numbers::duration(ns), share(ns)]);
    }
    table.add_row(["total".to_owned(), numbers::duration(sample.total_ns), share(sample.total_ns)]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    let mut facts = vec![format!("outcome  {}", sample.outcome)];
    facts.extend(sample.error.iter().map(|error| format!("error    {error}")));
    facts.extend(sample.cpu_ns.map(|ns| format!("cpu      {}", numbers::duration(ns))));
    let memory = sample
        .memory_peak_bytes
        .map(|b| format!("memory   {} peak of its cgroup", numbers::bytes(b)));
    facts.extend(memory);
    let linear = sample
        .linear_memory_bytes
        .map(|b| format!("linear   {} of linear memory", numbers::bytes(b)));
    facts.extend(linear);
    if let (Some(output), Some(bytes)) = (&sample.output, sample.output_bytes) {
        let shown: String = output.chars().take(OUTPUT_SHOWN).collect();
        let more = if shown.len() < output.len() { "..." } else { "" };
        facts.push(format!("output   {bytes} bytes: {shown}{more}"));
    }
    format!("{cell}\n\n{table}\n\n{}\n", facts.join("\n"))
}
