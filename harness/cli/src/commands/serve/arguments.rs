//! What `lumos serve` can be told, besides what it serves.

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use lumos_model::cell::{Isolation, Storage};
use lumos_model::pool::{PoolConfig, Scaling};
use lumos_model::protocol::{HttpLimits, Limits};
use lumos_model::units::{ByteSize, Span};
use lumos_runner::session::Settings;
use lumos_scenario::scenario::Connection;

#[derive(Debug, Args)]
pub(super) struct PoolArgs {
    /// How long an instance may be idle before it is reclaimed; 0s: it serves once.
    #[arg(long, default_value = "60s")]
    pub(super) keep_alive: Span,

    /// Instances that are made at the beginning and never reclaimed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) min_instances: u32,

    /// Instances that may exist at one time.
    #[arg(long, value_name = "N", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_instances: u32,

    /// Idle instances that are kept ready beyond those that are busy.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) prewarmed: u32,

    /// Requests that may wait for an instance; a further one gets 429.
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub(super) queue: u32,

    /// When instances are added: `immediate`, for each request that finds none idle, or
    /// `window=60s`, by the average concurrency as Knative does.
    #[arg(long, default_value = "immediate", value_parser = scaling)]
    pub(super) scaling: Scaling,
}

#[derive(Debug, Args)]
pub(super) struct InstanceArgs {
    /// Longest time of a request, the wait for an instance included.
    #[arg(long, default_value = "60s")]
    pub(super) timeout: Span,

    /// Bound on an instance's memory, such as 512MiB.
    #[arg(long)]
    pub(super) memory: Option<ByteSize>,

    /// Bound on an instance's cores.
    #[arg(long)]
    pub(super) cpus: Option<f64>,

    /// Whether the engine reserves address space for the maximum of instances, where it can
    /// and they are threads: making and freeing one is quicker then. Wasmtime can.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub(super) reserve: bool,

    /// The storage that the functions can reach.
    #[arg(long, default_value = "inline")]
    pub(super) storage: Storage,

    /// Use this Redis server instead of starting one.
    #[arg(long, value_name = "URL")]
    pub(super) redis_url: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct HttpArgs {
    /// Longest body of a request.
    #[arg(long, value_name = "SIZE", default_value = "16MiB")]
    pub(super) max_body: ByteSize,

    /// Longest head of a request.
    #[arg(long, value_name = "SIZE", default_value = "16KiB")]
    pub(super) max_headers: ByteSize,

    /// Connections at one time; a further one waits.
    #[arg(long, value_name = "N", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_connections: u32,

    /// How long a connection may be idle, or take to send a request's head or body.
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(super) idle: Span,

    /// How long after a request that followed another one so soon the machine's idle cores are
    /// kept from halting; 0s: not at all. It saves wake-ups and costs power; root may do it.
    #[arg(long, value_name = "TIME", default_value = "5ms")]
    pub(super) stay_awake: Span,

    /// How long requests may take to end when the gateway is drained.
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub(super) drain_within: Span,
}

impl PoolArgs {
    /// Finds slips.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let Self { min_instances, max_instances, prewarmed, .. } = self;
        if min_instances > max_instances || prewarmed > max_instances {
            bail!(
                "--min-instances {min_instances} and --prewarmed {prewarmed} must not exceed \
                 --max-instances {max_instances}"
            );
        }
        Ok(())
    }

    pub(super) fn config(&self) -> PoolConfig {
        let Self { keep_alive, min_instances, max_instances, prewarmed, queue, scaling } = *self;
        PoolConfig { keep_alive, min_instances, max_instances, prewarmed, queue, scaling }
    }
}

impl InstanceArgs {
    /// Finds slips.
    pub(super) fn check(&self, isolation: Isolation) -> anyhow::Result<()> {
        if self.timeout.0.is_zero() {
            bail!("--timeout 0s leaves no time to answer");
        }
        if self.cpus.is_some_and(|cpus| !(cpus > 0.0 && cpus.is_finite())) {
            bail!("--cpus is a number of cores above 0");
        }
        if self.cpus.is_some() && isolation == Isolation::Thread {
            bail!(
                "--cpus bounds an instance, which needs process isolation: threads share their \
                 host's cores"
            );
        }
        Ok(())
    }

    pub(super) fn settings(&self) -> Settings {
        let Self { timeout, memory, cpus, .. } = *self;
        Settings {
            seed: 42,
            limits: Limits { cpus, memory, timeout },
            connection: Connection::Instance,
            warmup: 0,
            gap: Span(Duration::ZERO),
            core: None,
        }
    }
}

impl HttpArgs {
    pub(super) fn limits(&self) -> HttpLimits {
        let Self { max_body, max_headers, max_connections, idle, .. } = *self;
        HttpLimits { body: max_body, headers: max_headers, connections: max_connections, idle }
    }
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
}
