//! The arguments of `lumos serve`.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::bail;
use clap::{ArgAction, Args};
use lumos_model::cell::{Isolation, Storage, Target};
use lumos_model::pool::{PoolConfig, Scaling};
use lumos_model::protocol::{HttpLimits, Limits};
use lumos_model::units::{ByteSize, Span};
use lumos_runner::gateway::GatewaySettings;
use lumos_runner::session::Settings;
use lumos_scenario::scenario::Connection;

use crate::arguments::{ArtifactsFolder, RedisServer};
use crate::text::join;

/// Seed of the example requests.
const EXAMPLE_SEED: u64 = 42;

/// Serve functions over HTTP, each from a pool of instances that scales
///
/// POST /FUNCTION returns the output of the function; the header `Server-Timing` shows where the
/// time went. GET /healthz and GET /metrics (OpenMetrics) describe the gateway.
///
/// SIGINT (Ctrl-C) or SIGTERM drains the gateway: running requests may complete. The exit code is
/// then 0, or 130 or 143 when some requests had to be stopped.
#[derive(Debug, Args)]
pub(crate) struct ServeCommand {
    /// The functions (see `lumos list functions`)
    #[arg(required = true, value_name = "FUNCTION")]
    pub(super) functions: Vec<String>,

    /// Runtime and mode (see `lumos list targets`)
    #[arg(long)]
    pub(super) target: Target,

    /// Where instances live: each in a process of its own, or in threads of the host
    #[arg(long, default_value = "process")]
    pub(super) isolation: Isolation,

    #[command(flatten)]
    pub(super) artifacts: ArtifactsFolder,

    #[command(flatten, next_help_heading = "Pool of each function")]
    pub(super) pool: PoolArgs,

    #[command(flatten, next_help_heading = "Instances")]
    pub(super) instance: InstanceArgs,

    #[command(flatten, next_help_heading = "HTTP")]
    pub(super) http: HttpArgs,
}

#[derive(Debug, Args)]
pub(super) struct PoolArgs {
    /// How long an instance may be idle before it is reclaimed; 0s: it serves one request
    #[arg(long, default_value = "60s")]
    keep_alive: Span,

    /// Instances that are created at the start and never reclaimed
    #[arg(long, value_name = "N", default_value_t = 0)]
    min_instances: u32,

    /// Maximum number of instances
    #[arg(long, value_name = "N", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(1..))]
    max_instances: u32,

    /// Idle instances to keep ready in addition to the busy ones
    #[arg(long, value_name = "N", default_value_t = 0)]
    prewarmed: u32,

    /// Maximum number of requests that wait for an instance; others get status 429
    #[arg(long, value_name = "N", default_value_t = 1024)]
    queue: u32,

    /// When to add instances: `immediate`, for each request that finds none idle, or
    /// `window=60s`, by the average concurrency over that time, as Knative does
    #[arg(long, default_value = "immediate", value_parser = scaling)]
    scaling: Scaling,
}

#[derive(Debug, Args)]
pub(super) struct InstanceArgs {
    /// Time limit of a request, including its wait for an instance
    #[arg(long, default_value = "60s")]
    pub(super) timeout: Span,

    /// Memory limit of an instance, such as 512MiB
    #[arg(long)]
    pub(super) memory: Option<ByteSize>,

    /// CPU limit of an instance, in cores
    #[arg(long)]
    pub(super) cpus: Option<f64>,

    /// Whether the engine reserves address space for the maximum number of instances, which makes
    /// creating and freeing them faster. Applies to thread isolation with Wasmtime
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    reserve: bool,

    #[arg(long, default_value = "inline",
          help = format!("Storage that the functions can reach: {}", join(Storage::ALL)))]
    pub(super) storage: Storage,

    #[command(flatten)]
    redis: RedisServer,
}

#[derive(Debug, Args)]
pub(super) struct HttpArgs {
    /// Address and port; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Allow an address that other machines can reach. There is no encryption and no
    /// authentication
    #[arg(long)]
    allow_remote: bool,

    /// Maximum size of a request body
    #[arg(long, value_name = "SIZE", default_value = "16MiB")]
    max_body: ByteSize,

    /// Maximum size of a request's headers
    #[arg(long, value_name = "SIZE", default_value = "16KiB")]
    max_headers: ByteSize,

    /// Maximum number of connections; others wait
    #[arg(long, value_name = "N", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: u32,

    /// How long a connection may be idle, or take to send the headers or the body of a request
    #[arg(long, value_name = "TIME", default_value = "60s")]
    idle: Span,

    /// Keep idle cores from halting for this long after a request that followed another within
    /// this time; 0s turns it off. Saves wake-up latency, costs power, and needs root
    #[arg(long, value_name = "TIME", default_value = "5ms")]
    pub(super) stay_awake: Span,

    /// How long requests may take to complete when the gateway is drained
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub(super) drain_within: Span,
}

impl ServeCommand {
    /// Checks what can be checked before anything is started.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        self.http.check()?;
        self.pool.check()?;
        self.instance.check(self.isolation)?;
        let mut seen = HashSet::new();
        match self.functions.iter().find(|function| !seen.insert(*function)) {
            Some(twice) => bail!("{twice} is named twice"),
            None => Ok(()),
        }
    }

    pub(super) fn gateway_settings(&self) -> GatewaySettings {
        GatewaySettings {
            functions: self.functions.clone(),
            target: self.target.clone(),
            isolation: self.isolation,
            storage: self.instance.storage,
            pool: self.pool.config(),
            reserve: self.instance.reserve,
            listen: self.http.listen,
            http: self.http.limits(),
            stay_awake: self.http.stay_awake,
        }
    }

    pub(super) fn session_settings(&self) -> Settings {
        let InstanceArgs { timeout, memory, cpus, .. } = self.instance;
        Settings {
            seed: EXAMPLE_SEED,
            limits: Limits { cpus, memory, timeout },
            connection: Connection::Instance,
            warmup: 0,
            gap: Span(Duration::ZERO),
            core: None,
            redis_url: self.instance.redis.url.clone(),
        }
    }
}

impl PoolArgs {
    fn check(&self) -> anyhow::Result<()> {
        let Self { min_instances, max_instances, prewarmed, .. } = self;
        if min_instances > max_instances || prewarmed > max_instances {
            bail!(
                "--min-instances {min_instances} and --prewarmed {prewarmed} must not exceed \
                 --max-instances {max_instances}"
            );
        }
        Ok(())
    }

    fn config(&self) -> PoolConfig {
        let Self { keep_alive, min_instances, max_instances, prewarmed, queue, scaling } = *self;
        PoolConfig { keep_alive, min_instances, max_instances, prewarmed, queue, scaling }
    }
}

impl InstanceArgs {
    fn check(&self, isolation: Isolation) -> anyhow::Result<()> {
        if self.timeout.0.is_zero() {
            bail!("--timeout 0s leaves no time to answer");
        }
        if self.cpus.is_some_and(|cpus| !(cpus > 0.0 && cpus.is_finite())) {
            bail!("--cpus must be a number of cores above 0");
        }
        if self.cpus.is_some() && isolation == Isolation::Thread {
            bail!("--cpus needs process isolation: threads share the cores of their host");
        }
        Ok(())
    }
}

impl HttpArgs {
    fn check(&self) -> anyhow::Result<()> {
        if !self.listen.ip().is_loopback() && !self.allow_remote {
            bail!(
                "--listen {}: other machines can reach this address, and everyone who reaches it \
                 can run the functions: add --allow-remote if this is intended",
                self.listen
            );
        }
        Ok(())
    }

    fn limits(&self) -> HttpLimits {
        let Self { max_body, max_headers, max_connections, idle, .. } = *self;
        HttpLimits { body: max_body, headers: max_headers, connections: max_connections, idle }
    }
}

/// `immediate` or `window=60s`.
fn scaling(text: &str) -> Result<Scaling, String> {
    match text.split_once('=') {
        None if text == "immediate" => Ok(Scaling::Immediate),
        Some(("window", window)) => {
            let window: Span = window.parse().map_err(|e| format!("{e}"))?;
            if window.0.is_zero() {
                return Err("a window must be longer than 0s".to_owned());
            }
            Ok(Scaling::Window { window, utilization: Scaling::DEFAULT_UTILIZATION })
        }
        _ => Err("write `immediate` or `window=60s`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_is_immediate_or_has_a_window() {
        assert_eq!(scaling("immediate"), Ok(Scaling::Immediate));
        let window = Scaling::Window { window: "6s".parse().unwrap(), utilization: 70 };
        assert_eq!(scaling("window=6s"), Ok(window));
        for wrong in ["", "window", "window=", "window=0s", "soon", "immediate=1s"] {
            assert!(scaling(wrong).is_err(), "{wrong}");
        }
    }
}
