//! The pool of instances: how it is set, and what it tells of itself.

use serde::{Deserialize, Serialize};

use crate::units::Span;

/// How a pool of instances is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolConfig {
    /// How long an instance may be idle before it is reclaimed; zero: it serves once.
    pub keep_alive: Span,
    /// Instances that are made at the beginning and never reclaimed.
    pub min_instances: u32,
    /// Instances that may exist at one time, those on their way included; one that is being
    /// freed is gone already.
    pub max_instances: u32,
    /// Idle instances that are kept ready beyond those that are busy, within the maximum.
    pub prewarmed: u32,
    /// Requests that may wait for an instance; a further one is rejected.
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
    /// For each request that finds no idle instance and none on its way to it.
    #[default]
    Immediate,
    /// As Knative's autoscaler does (KPA, target concurrency 1): the concurrency averaged
    /// over a window says how many are wanted, decided every two seconds; a tenth of the
    /// window that wants twice as many as there are is panic, during which none is removed.
    /// The first request of an empty pool is not made to wait for the window. The keep-alive
    /// holds for the last instance: others go as soon as fewer are wanted.
    Window {
        /// Knative's default is 60 s.
        window: Span,
        /// Share of an instance's time that may be busy in the mean, in percent; 70 as in
        /// Knative.
        utilization: u32,
    },
}

impl Scaling {
    /// The utilization of a window unless it is set, in percent: Knative's default of
    /// `container-concurrency-target-percentage`.
    pub const DEFAULT_UTILIZATION: u32 = 70;
}

crate::words! {
    /// Where an instance is in its life.
    InstanceState, "instance state" {
        /// Somebody wants it: a request, a minimum, the pre-warmed reserve.
        Requested = "requested",
        /// It is being made.
        Provisioning = "provisioning",
        /// It is made and has not served yet.
        Ready = "ready",
        /// It serves an invocation.
        Busy = "busy",
        /// It has served and waits for the next invocation.
        Idle = "idle",
        /// It was idle for the keep-alive, or the pool is drained: it is gone.
        Reclaimed = "reclaimed",
        /// It could not be made, or an invocation ended it: it is gone.
        Failed = "failed",
    }
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolEvent {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub at_ns: u64,
    /// Number of the instance in its pool, from 0.
    pub instance: u32,
    /// What it is now.
    pub state: InstanceState,
}
