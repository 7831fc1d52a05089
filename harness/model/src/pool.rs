//! The pool of instances: its configuration, and the events that it reports.

use serde::{Deserialize, Serialize};

use crate::units::Span;

/// The configuration of a pool of instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolConfig {
    /// How long an instance may be idle before it is reclaimed. Zero: it serves one request.
    pub keep_alive: Span,
    /// Number of instances that are created at the beginning and never reclaimed.
    pub min_instances: u32,
    /// Highest number of instances at one time. Instances that are being created count; instances
    /// that are being freed do not.
    pub max_instances: u32,
    /// Number of idle instances that are kept ready in addition to the busy ones, within the
    /// maximum.
    pub prewarmed: u32,
    /// Number of requests that may wait for an instance; further ones are rejected.
    pub queue: u32,
    /// When instances are added.
    pub scaling: Scaling,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            keep_alive: Span(std::time::Duration::from_secs(60)),
            min_instances: 0,
            max_instances: 16,
            prewarmed: 0,
            queue: 1024,
            scaling: Scaling::Immediate,
        }
    }
}

/// When instances are added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Scaling {
    /// For each request that finds no idle instance and none that is being created for it.
    #[default]
    Immediate,
    /// Like Knative's autoscaler (KPA, target concurrency 1). Every two seconds, the concurrency
    /// averaged over a window sets the number of instances. If a tenth of the window asks for
    /// twice the present number, the pool panics: it removes no instance. The first request of an
    /// empty pool does not wait for the window. The keep-alive applies to the last instance;
    /// others are reclaimed as soon as the number falls.
    Window {
        /// Knative's default is 60 s.
        window: Span,
        /// Target for the mean share of an instance's time that is busy, in percent. Knative's
        /// default is 70.
        utilization: u32,
    },
}

impl Scaling {
    /// The utilization of a window unless it is set, in percent: Knative's default of
    /// `container-concurrency-target-percentage`.
    pub const DEFAULT_UTILIZATION: u32 = 70;
}

crate::words! {
    /// The state of an instance in its life cycle.
    InstanceState, "instance state" {
        /// A request, the minimum or the pre-warmed reserve needs it.
        Requested = "requested",
        /// It is being created.
        Provisioning = "provisioning",
        /// It is created and has not served yet.
        Ready = "ready",
        /// It serves an invocation.
        Busy = "busy",
        /// It has served and waits for its next invocation.
        Idle = "idle",
        /// It ended because its keep-alive expired or the pool was drained.
        Reclaimed = "reclaimed",
        /// It ended because it could not be created or an invocation broke it.
        Failed = "failed",
    }
}

/// A change of an instance's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolEvent {
    /// Time of the change, in nanoseconds of `CLOCK_MONOTONIC`.
    pub at_ns: u64,
    /// Number of the instance in its pool, from 0.
    pub instance: u32,
    /// The new state.
    pub state: InstanceState,
}
