//! Settings of the scenario and the run that hold for every cell.

use lumos_model::cell::Storage;
use lumos_model::fingerprint::CgroupMode;
use lumos_model::manifest::RedisFacts;
use lumos_model::pool::PoolConfig;
use lumos_model::protocol::Limits;
use lumos_model::units::Span;
use lumos_scenario::scenario::{Connection, Pinning, Scenario};

use crate::compare::differing::Differing;
use crate::compare::side::Side;

/// A setting that is not the same in both runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// Bounds on each instance.
    Limits(Differing<Limits>),
    /// Which cores are used.
    Pinning(Differing<Pinning>),
    /// What all cells under load share; `None`: no cell is under load.
    Load(Differing<Option<LoadBounds>>),
    /// Pause before each cold sample.
    Gap(Differing<Span>),
    /// Invocations before the first warm sample.
    Warmup(Differing<u32>),
    /// How long a connection to the storage lives.
    Connection(Differing<Connection>),
    /// The Redis server.
    Redis(Differing<Option<RedisFacts>>),
    /// How control groups are mounted; `None`: they are not used.
    ControlGroups(Differing<Option<CgroupMode>>),
}

/// What all cells under load share. How requests arrive and how long instances are kept are
/// axes, so they are part of the cells.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadBounds {
    /// How long a block sends requests.
    pub duration: Span,
    /// Requests after which a block sends no further one.
    pub requests: u32,
    /// The pools.
    pub pool: PoolConfig,
}

impl LoadBounds {
    fn of(scenario: &Scenario) -> Option<Self> {
        let load = scenario.load.as_ref()?;
        Some(Self { duration: load.duration, requests: load.requests, pool: load.pool.clone() })
    }
}

/// The settings that differ, of those that matter for the common cells.
pub(super) fn settings(base: &Side, new: &Side) -> Vec<Setting> {
    let has_cold = base.common(new).any(|cell| cell.start().is_cold());
    let has_warm = base.common(new).any(|cell| !cell.start().is_cold());
    let uses_redis =
        base.common(new).any(|cell| matches!(cell.storage, Storage::Redis | Storage::Host));
    let (a, b) = (&base.scenario, &new.scenario);
    let redis = |side: &Side| side.manifest.redis.clone();
    let groups = |side: &Side| side.manifest.cgroup_mode;
    let gap = Differing::of(a.gap, b.gap).filter(|_| has_cold);
    let warmup = Differing::of(a.warmup, b.warmup).filter(|_| has_warm);
    let connection = Differing::of(a.connection, b.connection).filter(|_| uses_redis);
    let server = Differing::of(redis(base), redis(new)).filter(|_| uses_redis);
    [
        Differing::of(a.limits.clone(), b.limits.clone()).map(Setting::Limits),
        Differing::of(a.pinning, b.pinning).map(Setting::Pinning),
        Differing::of(LoadBounds::of(a), LoadBounds::of(b)).map(Setting::Load),
        gap.map(Setting::Gap),
        warmup.map(Setting::Warmup),
        connection.map(Setting::Connection),
        server.map(Setting::Redis),
        Differing::of(groups(base), groups(new)).map(Setting::ControlGroups),
    ]
    .into_iter()
    .flatten()
    .collect()
}
