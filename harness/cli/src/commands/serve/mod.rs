//! `lumos serve`.

mod arguments;
mod text;

use std::collections::HashSet;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use lumos_model::cell::{Cell, Demand, Isolation, Size, Start, Target};
use lumos_model::protocol::{ModeProof, PoolRecords, Pooled, Serve as ToServe};
use lumos_report::warnings;
use lumos_runner::artifacts::Artifacts;
use lumos_runner::discovery;
use lumos_runner::gate;
use lumos_runner::host_client::{ClientError, HostClient};
use lumos_runner::interrupt::{self, Interrupted};
use lumos_runner::session::Session;
use lumos_scenario::hosts;
use lumos_scenario::words::closest;

use self::arguments::{HttpArgs, InstanceArgs, PoolArgs};
use self::text::summary;
use super::Exit;
use super::shared::{ArtifactsFolder, function_names};

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

/// How often it is looked whether a signal has come or the host has died.
const LOOK: Duration = Duration::from_millis(100);
/// How often a mode is looked at until it counts as not proven.
const PROOFS: usize = 5;

impl Serve {
    /// Serves until a signal comes.
    ///
    /// # Errors
    /// When the input is bad, the target cannot run the functions here, or the address cannot
    /// be had.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        self.check()?;
        let hosts = discovery::discover()?;
        let capability = hosts::capability(&hosts, &self.target).map_err(anyhow::Error::msg)?;
        let start = self.start();
        if let Some(refusal) = capability.refusal(self.isolation, start, self.instance.storage) {
            bail!(refusal);
        }
        let artifacts = self.artifacts.open()?;
        self.check_functions(&artifacts)?;
        interrupt::install()?;
        let mut session = Session::new(hosts, artifacts, self.instance.settings());
        for loss in &session.losses {
            eprintln!("warning: {}", warnings::words(loss));
        }
        let functions = self.functions(&mut session)?;
        // Instances are bounded one by one: by their groups, or in a thread by their engine.
        let mut host = session.start_unbound_host(&self.target)?;
        let proofs = self.prove(&mut host, &functions)?;
        let serve = ToServe {
            functions: functions.clone(),
            listen: self.listen,
            http: self.http.limits(),
            stay_awake: self.http.stay_awake,
            records: 0,
        };
        let (address, warnings) = host.serve(serve)?;
        // Who reads that it serves may end it: from here on that is a drain.
        interrupt::spare_hosts()?;
        write!(out, "{}", self.describe(address, &functions, &proofs, &warnings))?;
        out.flush()?;
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
    fn check(&self) -> anyhow::Result<()> {
        if !self.listen.ip().is_loopback() && !self.allow_remote {
            bail!(
                "--listen {}: other machines can reach this address, and whoever reaches it runs \
                 the functions: give --allow-remote too if that is meant",
                self.listen
            );
        }
        self.pool.check()?;
        self.instance.check(self.isolation)?;
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
            storage: self.instance.storage,
            demand: Demand::Each(self.start()),
        }
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
            let (pool, reserve) = (self.pool.config(), self.instance.reserve);
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
