//! `lumos serve`.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use lumos_model::cell::{Cell, Isolation, Size, Start, Storage, Target};
use lumos_model::pool::{PoolConfig, Scaling};
use lumos_model::protocol::{HttpLimits, Limits, ModeProof, PoolRecords, Pooled, Serve as ToServe};
use lumos_model::units::{ByteSize, Span};

use super::Exit;
use super::shared::{ArtifactsFolder, function_names};
use crate::artifacts::Artifacts;
use crate::discovery;
use crate::gate;
use crate::host_client::{ClientError, HostClient};
use crate::interrupt::{self, Interrupted};
use crate::report::numbers;
use crate::scenario::Connection;
use crate::session::{Session, Settings};
use crate::words::closest;

/// Serve functions over HTTP, by pools of instances that scale.
///
/// POST /FUNCTION answers with the function's output and says in `Server-Timing` where the
/// time went; GET /healthz and GET /metrics (OpenMetrics) tell of the gateway. Ctrl-C or
/// SIGTERM drains it: requests that run are finished. The exit code is 0 then, and that of
/// the signal (130, 143) when some had to be stopped.
#[derive(Debug, Args)]
pub struct Serve {
    /// The functions; `lumos list functions` shows them.
    #[arg(required = true, value_name = "FUNCTION")]
    functions: Vec<String>,

    /// Runtime and mode; `lumos list targets` shows them.
    #[arg(long)]
    target: Target,

    /// Where the instances live.
    #[arg(long, default_value = "process")]
    isolation: Isolation,

    /// Address and port; port 0 is a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Let other machines send requests: needed for an address that they can reach. There is
    /// neither encryption nor a password.
    #[arg(long)]
    allow_remote: bool,

    #[command(flatten, next_help_heading = "Pool of each function")]
    pool: PoolArgs,

    #[command(flatten, next_help_heading = "Instances")]
    instance: InstanceArgs,

    #[command(flatten, next_help_heading = "HTTP")]
    http: HttpArgs,

    #[command(flatten)]
    artifacts: ArtifactsFolder,
}

#[derive(Debug, Args)]
struct PoolArgs {
    /// How long an instance may be idle before it is reclaimed; 0s: it serves once.
    #[arg(long, default_value = "60s")]
    keep_alive: Span,

    /// Instances that are made at the beginning and never reclaimed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    min_instances: u32,

    /// Instances that may exist at one time.
    #[arg(long, value_name = "N", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(1..))]
    max_instances: u32,

    /// Idle instances that are kept ready beyond those that are busy.
    #[arg(long, value_name = "N", default_value_t = 0)]
    prewarmed: u32,

    /// Requests that may wait for an instance; a further one gets 429.
    #[arg(long, value_name = "N", default_value_t = 1024)]
    queue: u32,

    /// When instances are added: `immediate`, for each request that finds none idle, or
    /// `window=60s`, by the average concurrency as Knative does.
    #[arg(long, default_value = "immediate", value_parser = scaling)]
    scaling: Scaling,
}

#[derive(Debug, Args)]
struct InstanceArgs {
    /// Longest time of a request, the wait for an instance included.
    #[arg(long, default_value = "60s")]
    timeout: Span,

    /// Bound on an instance's memory, such as 512MiB.
    #[arg(long)]
    memory: Option<ByteSize>,

    /// Bound on an instance's cores.
    #[arg(long)]
    cpus: Option<f64>,

    /// Whether the engine reserves address space for the maximum of instances, where it can
    /// and they are threads: making and freeing one is quicker then. Wasmtime can.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    reserve: bool,

    /// The storage that the functions can reach.
    #[arg(long, default_value = "inline")]
    storage: Storage,

    /// Use this Redis server instead of starting one.
    #[arg(long, value_name = "URL")]
    redis_url: Option<String>,
}

#[derive(Debug, Args)]
struct HttpArgs {
    /// Longest body of a request.
    #[arg(long, value_name = "SIZE", default_value = "16MiB")]
    max_body: ByteSize,

    /// Longest head of a request.
    #[arg(long, value_name = "SIZE", default_value = "16KiB")]
    max_headers: ByteSize,

    /// Connections at one time; a further one waits.
    #[arg(long, value_name = "N", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: u32,

    /// How long a connection may be idle, or take to send a request's head or body.
    #[arg(long, value_name = "TIME", default_value = "60s")]
    idle: Span,

    /// How long after a request that followed another one so soon the machine's idle cores are
    /// kept from halting; 0s: not at all. It saves wake-ups and costs power; root may do it.
    #[arg(long, value_name = "TIME", default_value = "5ms")]
    stay_awake: Span,

    /// How long requests may take to end when the gateway is drained.
    #[arg(long, value_name = "TIME", default_value = "10s")]
    drain_within: Span,
}

/// `immediate` or `window=60s`.
fn scaling(text: &str) -> Result<Scaling, String> {
    // Knative's default of `container-concurrency-target-percentage`.
    const UTILIZATION: u32 = 70;
    match text.split_once('=') {
        None if text == "immediate" => Ok(Scaling::Immediate),
        Some(("window", window)) => {
            let window: Span = window.parse().map_err(|e| format!("{e}"))?;
            if window.0.is_zero() {
                return Err("a window is longer than nothing".to_owned());
            }
            Ok(Scaling::Window { window, utilization: UTILIZATION })
        }
        _ => Err("write `immediate` or `window=60s`".to_owned()),
    }
}

/// How often it is looked whether a signal has come or the host has died.
const LOOK: Duration = Duration::from_millis(100);
/// How often a mode is looked at until it counts as not proven.
const PROOFS: usize = 5;
/// Longest request that is shown as an example.
const EXAMPLE_SHOWN: usize = 300;

impl Serve {
    /// Serves until a signal comes.
    ///
    /// # Errors
    /// When the input is bad, the target cannot run the functions here, or the address cannot
    /// be had.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        self.check_arguments()?;
        let hosts = discovery::discover()?;
        let capability = discovery::capability(&hosts, &self.target).map_err(anyhow::Error::msg)?;
        let start = self.start();
        if let Some(refusal) = capability.refusal(self.isolation, start, self.instance.storage) {
            bail!(refusal);
        }
        let artifacts = self.artifacts.open()?;
        self.check_functions(&artifacts)?;
        interrupt::install()?;
        let mut session = Session::new(hosts, artifacts, self.settings());
        for loss in &session.losses {
            eprintln!("warning: {loss}");
        }
        let functions = self.functions(&mut session)?;
        // Instances are bounded one by one: by their groups, or in a thread by their engine.
        let mut host = session.start_unbound_host(&self.target)?;
        let proofs = self.prove(&mut host, &functions)?;
        let serve = ToServe {
            functions: functions.clone(),
            listen: self.listen,
            http: self.http_limits(),
            stay_awake: self.http.stay_awake,
            records: 0,
        };
        let (address, warnings) = host.serve(serve)?;
        for warning in warnings {
            eprintln!(
                "warning: {warning}; wake-ups take longer (--stay-awake 0s if that is meant)"
            );
        }
        write!(out, "{}", self.describe(address, &functions, &proofs))?;
        out.flush()?;
        interrupt::spare_hosts()?;
        match self.wait(&mut host) {
            Ok((signal, records)) => conclude(signal, &records, out),
            // A signal that came before the hosts were spared has ended this one.
            Err(ClientError::Interrupted(interrupted)) => Err(interrupted.into()),
            Err(error) => {
                eprintln!("error: the gateway is gone: {error}");
                Ok(Exit::MeasuredFailure)
            }
        }
    }

    /// Finds slips before anything is started.
    fn check_arguments(&self) -> anyhow::Result<()> {
        if !self.listen.ip().is_loopback() && !self.allow_remote {
            bail!(
                "--listen {}: other machines can reach this address, and whoever reaches it runs \
                 the functions: give --allow-remote too if that is meant",
                self.listen
            );
        }
        let PoolArgs { min_instances, max_instances, prewarmed, .. } = self.pool;
        if min_instances > max_instances || prewarmed > max_instances {
            bail!(
                "--min-instances {min_instances} and --prewarmed {prewarmed} must not exceed \
                 --max-instances {max_instances}"
            );
        }
        if self.instance.timeout.0.is_zero() {
            bail!("--timeout 0s leaves no time to answer");
        }
        if self.instance.cpus.is_some_and(|cpus| !(cpus > 0.0 && cpus.is_finite())) {
            bail!("--cpus is a number of cores above 0");
        }
        if self.instance.cpus.is_some() && self.isolation == Isolation::Thread {
            bail!(
                "--cpus bounds an instance, which needs process isolation: threads share their host's cores"
            );
        }
        let mut seen = HashSet::new();
        match self.functions.iter().find(|function| !seen.insert(*function)) {
            Some(twice) => bail!("{twice} is named twice"),
            None => Ok(()),
        }
    }

    fn check_functions(&self, artifacts: &Artifacts) -> anyhow::Result<()> {
        let built: Vec<_> =
            artifacts.manifest().artifacts.iter().map(|a| a.function.as_str()).collect();
        for function in &self.functions {
            let known = function_names();
            if !known.contains(&function.as_str()) && !built.contains(&function.as_str()) {
                let near = closest(function, known);
                let hint = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
                bail!(
                    "there is no function `{function}`: {hint}`lumos list functions` shows those \
                     that are"
                );
            }
        }
        Ok(())
    }

    /// The start of an instance that is made for a request.
    fn start(&self) -> Start {
        match self.isolation {
            Isolation::Process => Start::ColdProcess,
            Isolation::Thread => Start::ColdInstance,
        }
    }

    fn cell(&self, function: &str) -> Cell {
        Cell {
            function: function.to_owned(),
            size: Size::Tiny,
            target: self.target.clone(),
            isolation: self.isolation,
            start: self.start(),
            storage: self.instance.storage,
            load: None,
        }
    }

    fn settings(&self) -> Settings {
        let InstanceArgs { timeout, memory, cpus, .. } = self.instance;
        Settings {
            seed: 42,
            limits: Limits { cpus, memory, timeout },
            connection: Connection::Instance,
            warmup: 0,
            gap: Span(Duration::ZERO),
            core: None,
        }
    }

    fn http_limits(&self) -> HttpLimits {
        let HttpArgs { max_body, max_headers, max_connections, idle, .. } = self.http;
        HttpLimits { body: max_body, headers: max_headers, connections: max_connections, idle }
    }

    fn pool(&self) -> PoolConfig {
        let PoolArgs { keep_alive, min_instances, max_instances, prewarmed, queue, scaling } =
            self.pool;
        PoolConfig { keep_alive, min_instances, max_instances, prewarmed, queue, scaling }
    }

    /// The functions with their artifacts, their storage, and a request that each understands.
    fn functions(&self, session: &mut Session) -> anyhow::Result<Vec<Pooled>> {
        let url = self.instance.redis_url.as_deref();
        session.provide_storage(self.instance.storage, url)?;
        let mut functions = Vec::new();
        for name in &self.functions {
            let cell = self.cell(name);
            let prepare = if function_names().contains(&name.as_str()) {
                session.provide(std::iter::once(&cell), url)?;
                session.prepare(&cell)?
            } else {
                let (artifact, _) = session.artifact(name, &self.target)?;
                session.prepare_with(&cell, artifact, "{}".to_owned())?
            };
            let (pool, reserve) = (self.pool(), self.instance.reserve);
            functions.push(Pooled { name: name.clone(), prepare, pool, reserve });
        }
        Ok(functions)
    }

    /// No proof, no service.
    fn prove(&self, host: &mut HostClient, functions: &[Pooled]) -> anyhow::Result<Vec<ModeProof>> {
        let proof = |function: &Pooled| {
            self.prove_one(host, &function.prepare.artifact)
                .with_context(|| format!("{} is not served by {}", function.name, self.target))
        };
        functions.iter().map(proof).collect()
    }

    /// Nothing is measured here, so there is time to wait until other work on the machine lets
    /// the canary have its time.
    fn prove_one(&self, host: &mut HostClient, artifact: &Path) -> Result<ModeProof, ClientError> {
        let mut proof = gate::prove(host, &self.target, artifact);
        for _ in 1..PROOFS {
            if !matches!(proof, Err(ClientError::Refused(_))) {
                break;
            }
            std::thread::sleep(LOOK);
            proof = gate::prove(host, &self.target, artifact);
        }
        proof
    }

    /// Waits for a signal, then drains the host.
    fn wait(&self, host: &mut HostClient) -> Result<(Interrupted, PoolRecords), ClientError> {
        loop {
            host.linger(LOOK)?;
            if let Err(signal) = interrupt::check() {
                eprintln!("{signal}: draining for {} at most", self.http.drain_within);
                return Ok((signal, host.drain(self.http.drain_within)?));
            }
        }
    }

    /// What is served, for people.
    fn describe(&self, address: SocketAddr, functions: &[Pooled], proofs: &[ModeProof]) -> String {
        let mut text = format!(
            "serving on http://{address}: {} with {} isolation, {} storage\n\n",
            self.target, self.isolation, self.instance.storage
        );
        let width = self.functions.iter().map(String::len).max().unwrap_or(0);
        for (function, proof) in functions.iter().zip(proofs) {
            let _ = writeln!(
                text,
                "  POST /{:width$}  its canary takes {} of the time of the host's own code: {}",
                function.name,
                numbers::ratio(proof.slowdown()),
                proof.setting
            );
        }
        let PoolConfig { keep_alive, min_instances, max_instances, prewarmed, queue, scaling } =
            self.pool();
        let scaling = match scaling {
            Scaling::Immediate => "immediate".to_owned(),
            Scaling::Window { window, utilization } => {
                format!("by a window of {window} at {utilization} %")
            }
        };
        let InstanceArgs { timeout, memory, cpus, .. } = &self.instance;
        let memory = memory.map_or("no bound".to_owned(), |memory| memory.to_string());
        let cpus = cpus.map_or("all".to_owned(), |cpus| cpus.to_string());
        let http = self.http_limits();
        let _ = write!(
            text,
            "  GET  /healthz\n  GET  /metrics\n\n\
             pool      {min_instances} to {max_instances} instances, {prewarmed} pre-warmed, \
             keep-alive {keep_alive}, queue {queue}, scaling {scaling}\n\
             instance  timeout {timeout}, memory {memory}, cores {cpus}\n\
             http      body {}, head {}, {} connections, idle {}, stay-awake {}\n\n",
            http.body, http.headers, http.connections, http.idle, self.http.stay_awake
        );
        let example = functions
            .iter()
            .filter(|function| function_names().contains(&function.name.as_str()))
            .min_by_key(|function| function.prepare.request.len())
            .filter(|function| function.prepare.request.len() <= EXAMPLE_SHOWN);
        if let Some(Pooled { name, prepare, .. }) = example {
            let _ =
                writeln!(text, "try       curl -d '{}' http://{address}/{name}", prepare.request);
        }
        text.push_str("stop      Ctrl-C or SIGTERM\n");
        text
    }
}

/// Says what came of all requests.
fn conclude(
    signal: Interrupted,
    records: &PoolRecords,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    write!(out, "{}", summary(&records.causes))?;
    if records.stopped == 0 {
        return Ok(Exit::Done);
    }
    out.flush()?;
    let stopped = format!("{} requests that waited or ran were stopped", records.stopped);
    Err(anyhow::Error::from(signal).context(stopped))
}

fn summary(causes: &BTreeMap<String, u64>) -> String {
    let all: u64 = causes.values().sum();
    let mut text = format!("\ndrained: {all} requests\n");
    let width = all.to_string().len();
    for (cause, count) in causes {
        let _ = writeln!(text, "  {count:>width$}  {cause}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_is_a_word_or_a_window() {
        assert_eq!(scaling("immediate"), Ok(Scaling::Immediate));
        let window = Scaling::Window { window: "6s".parse().unwrap(), utilization: 70 };
        assert_eq!(scaling("window=6s"), Ok(window));
        for wrong in ["", "window", "window=", "window=0s", "soon", "immediate=1s"] {
            assert!(scaling(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_summary_adds_up() {
        let causes = [("answered".to_owned(), 99), ("trapped".to_owned(), 1)].into();
        let expected = "\ndrained: 100 requests\n   99  answered\n    1  trapped\n";
        assert_eq!(summary(&causes), expected);
        assert_eq!(summary(&BTreeMap::new()), "\ndrained: 0 requests\n");
    }
}
