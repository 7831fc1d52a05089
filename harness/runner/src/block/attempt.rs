//! What a host made of a block.

use lumos_model::counters::Counters;
use lumos_model::row::Sample;
use lumos_model::telemetry::{Agreement, PoolTelemetry};

/// What a host made of a block.
#[derive(Debug, Default)]
pub(super) struct Attempt {
    /// The invocations.
    pub(super) samples: Vec<Sample>,
    /// Counters of the instances' control groups.
    pub(super) instances: Vec<Counters>,
    /// Counters of the host process.
    pub(super) host: Counters,
    /// Counters of the host's control group.
    pub(super) host_cgroup: Option<Counters>,
    /// Of a block under load: what its pool did.
    pub(super) pool: Option<PoolTelemetry>,
}

impl Attempt {
    /// In what the records of client and gateway disagree, if they do.
    pub(super) fn fault(&self) -> Option<String> {
        self.pool.as_ref()?.agreement.as_ref().and_then(Agreement::fault)
    }
}
