//! A gateway: a host that serves functions over HTTP, until a signal drains it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use lumos_model::cell::{Cell, Demand, Isolation, Size, Start, Storage, Target};
use lumos_model::pool::PoolConfig;
use lumos_model::protocol::{HttpLimits, ModeProof, PoolRecords, Pooled, Serve};
use lumos_model::units::Span;

use crate::checks::has_inputs;
use crate::hosts::{ClientError, HostClient};
use crate::interrupt::{self, Interrupted};
use crate::proof::{Attempts, prove};
use crate::session::{Preparation, Purpose, RequestSource, Session};

/// How often to look for a signal, and for the end of the host.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// What to serve, and how.
#[derive(Clone, Debug)]
pub struct GatewaySettings {
    /// The functions.
    pub functions: Vec<String>,
    /// Runtime and mode.
    pub target: Target,
    /// Where the instances live.
    pub isolation: Isolation,
    /// The storage that the functions can reach.
    pub storage: Storage,
    /// How the instances of each function are kept.
    pub pool: PoolConfig,
    /// Whether the engine reserves memory for all instances in advance.
    pub reserve: bool,
    /// Address and port; port 0 picks a free one.
    pub listen: SocketAddr,
    /// What the gateway accepts.
    pub http: HttpLimits,
    /// How long idle cores are kept from halting after a request that closely followed another.
    pub stay_awake: Span,
}

impl GatewaySettings {
    /// The cell whose instances serve `function`, with the start of an instance that is made
    /// for a request.
    pub fn cell(&self, function: &str) -> Cell {
        let start = match self.isolation {
            Isolation::Process => Start::ColdProcess,
            Isolation::Thread => Start::ColdInstance,
        };
        Cell {
            function: function.to_owned(),
            size: Size::Tiny,
            target: self.target.clone(),
            isolation: self.isolation,
            storage: self.storage,
            demand: Demand::Each(start),
        }
    }
}

/// A function that is served.
#[derive(Clone, Debug)]
pub struct ServedFunction {
    /// Its name, which is its path.
    pub name: String,
    /// A request that it accepts; `None` for a function without generated inputs.
    pub example: Option<String>,
    /// How its mode was proven.
    pub proof: ModeProof,
}

/// A gateway that serves.
pub struct Gateway {
    host: HostClient,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it serves.
    pub functions: Vec<ServedFunction>,
    /// What it must do without, and why.
    pub warnings: Vec<String>,
}

impl Gateway {
    /// Opens the gateway, after each function has proven its mode. From then on the first
    /// signal drains it, instead of killing its host.
    ///
    /// # Errors
    /// When an artifact or a storage cannot be used, a mode is not proven, or the address is
    /// not available.
    pub fn open(session: &mut Session, settings: &GatewaySettings) -> anyhow::Result<Self> {
        let pooled = pooled_functions(session, settings)?;
        // Instances are bounded one by one: by their groups, or in threads by their engine.
        let mut host = session.start_unbound_host(&settings.target)?;
        let functions = prove_all(&mut host, &settings.target, &pooled)?;
        let (address, warnings) = host.serve(Serve {
            functions: pooled,
            listen: settings.listen,
            http: settings.http.clone(),
            stay_awake: settings.stay_awake,
            records: 0,
        })?;
        // The caller announces the address next, and a signal may follow at once.
        interrupt::spare_hosts()?;
        Ok(Self { host, address, functions, warnings })
    }

    /// Serves until a signal is received.
    ///
    /// # Errors
    /// When the host dies.
    pub fn serve(&mut self) -> Result<Interrupted, ClientError> {
        loop {
            self.host.stay_connected(POLL_INTERVAL)?;
            if let Err(signal) = interrupt::check() {
                return Ok(signal);
            }
        }
    }

    /// Accepts no further requests, and lets those that wait or run complete `within` that
    /// time. Returns the records of all requests.
    ///
    /// # Errors
    /// When the host dies.
    pub fn drain(mut self, within: Span) -> Result<PoolRecords, ClientError> {
        self.host.drain(within)
    }
}

/// The functions with their artifacts, storages and pools.
fn pooled_functions(
    session: &mut Session,
    settings: &GatewaySettings,
) -> anyhow::Result<Vec<Pooled>> {
    session.open_storage(settings.storage)?;
    let pooled = |name: &String| {
        let cell = settings.cell(name);
        let request = match has_inputs(name) {
            true => RequestSource::Generated,
            false => RequestSource::Payload("{}"),
        };
        if has_inputs(name) {
            session.provide([&cell])?;
        }
        let preparation = Preparation { cell: &cell, request, purpose: Purpose::Measure };
        let prepare = session.prepare(preparation)?;
        let (name, pool) = (name.clone(), settings.pool.clone());
        Ok(Pooled { name, prepare, pool, reserve: settings.reserve })
    };
    settings.functions.iter().map(pooled).collect()
}

/// A function whose mode is not proven is not served.
fn prove_all(
    host: &mut HostClient,
    target: &Target,
    functions: &[Pooled],
) -> anyhow::Result<Vec<ServedFunction>> {
    let served = |Pooled { name, prepare, .. }: &Pooled| {
        let proof = prove(host, target, &prepare.artifact, Attempts::SERVE)
            .with_context(|| format!("{name} is not served by {target}"))?;
        let example = has_inputs(name).then(|| prepare.request.clone());
        Ok(ServedFunction { name: name.clone(), example, proof })
    };
    functions.iter().map(served).collect()
}
