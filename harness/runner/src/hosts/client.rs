//! The requests of the host protocol, typed.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use lumos_model::cell::Target;
use lumos_model::counters::Counters;
use lumos_model::protocol::{
    BlockResult, FromHost, Limits, Load, LoadResult, ModeProof, PoolRecords, Pooled, Prepare,
    Serve, ToHost,
};
use lumos_model::row::Sample;
use lumos_model::units::Span;

use super::error::ClientError;
use super::groups::ControlGroups;
use super::process::HostProcess;

/// How long a host may take to answer, in addition to the time of the invocations that the
/// request asks for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// A block that a host is asked to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockRequest {
    /// How many samples.
    pub(crate) samples: u32,
    /// Whether the host returns the outputs.
    pub(crate) outputs: Outputs,
    /// Time after which no further sample starts.
    pub(crate) budget: Option<Span>,
    /// The longest that one sample can take, its gap and start included.
    pub(crate) sample_bound: Duration,
}

/// Whether a host returns the outputs of functions with their samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outputs {
    /// Only their sizes and hashes.
    Hashed,
    /// The outputs too.
    Returned,
}

/// A host, ready for requests. Dropping it shuts the host down.
pub(crate) struct HostClient(HostProcess);

impl HostClient {
    /// Starts the host at `path`. `limits` apply to the host itself, for instances that live
    /// inside it. Its instances inherit its `core`.
    ///
    /// # Errors
    /// When its control group or its process cannot be created.
    pub(crate) fn start(
        path: &Path,
        groups: &ControlGroups,
        limits: &Limits,
        core: Option<usize>,
    ) -> Result<Self, ClientError> {
        HostProcess::start(path, groups, limits, core).map(Self)
    }

    /// Asks the host for a proof that `artifact` runs in the target's mode.
    ///
    /// # Errors
    /// When the host has no proof, or is gone.
    pub(crate) fn prove(
        &mut self,
        target: &Target,
        artifact: &Path,
    ) -> Result<ModeProof, ClientError> {
        let request = ToHost::ProveMode { target: target.clone(), artifact: artifact.to_owned() };
        match self.0.ask(&request, ANSWER_TIMEOUT)? {
            FromHost::Proof(proof) => Ok(proof),
            other => Err(self.0.unexpected(&other)),
        }
    }

    /// Prepares the host for a cell; returns the samples of the warm-up.
    ///
    /// # Errors
    /// When the artifact cannot be loaded, no instance can be made, or the host is gone.
    pub(crate) fn prepare(&mut self, mut prepare: Prepare) -> Result<Vec<Sample>, ClientError> {
        prepare.cgroup = self.0.cgroup_base();
        let timeout = ANSWER_TIMEOUT + prepare.limits.timeout.0 * (prepare.warmup + 1);
        match self.0.ask(&ToHost::Prepare(Box::new(prepare)), timeout)? {
            FromHost::Prepared { warmup } => Ok(warmup),
            other => Err(self.0.unexpected(&other)),
        }
    }

    /// Asks the host to measure a block of the prepared cell.
    ///
    /// # Errors
    /// When the host does not answer or is gone.
    pub(crate) fn block(&mut self, request: BlockRequest) -> Result<BlockResult, ClientError> {
        let BlockRequest { samples, outputs, budget, sample_bound } = request;
        let keep_output = outputs == Outputs::Returned;
        let timeout = ANSWER_TIMEOUT + sample_bound * samples;
        match self.0.ask(&ToHost::Block { samples, keep_output, budget }, timeout)? {
            FromHost::Block(result) => Ok(result),
            other => Err(self.0.unexpected(&other)),
        }
    }

    /// Asks the host to open a gateway. Returns where it listens, and a warning for each thing
    /// that it must do without.
    ///
    /// # Errors
    /// When the address is not available, an artifact cannot be loaded, no instance can be
    /// made, or the host is gone.
    pub(crate) fn serve(
        &mut self,
        mut serve: Serve,
    ) -> Result<(SocketAddr, Vec<String>), ClientError> {
        for function in &mut serve.functions {
            function.prepare.cgroup = self.0.cgroup_base();
        }
        let starts = |f: &Pooled| f.prepare.limits.timeout.0 * (f.pool.min_instances + 1);
        let timeout = ANSWER_TIMEOUT + serve.functions.iter().map(starts).sum::<Duration>();
        match self.0.ask(&ToHost::Serve(Box::new(serve)), timeout)? {
            FromHost::Serving { address, warnings } => Ok((address, warnings)),
            other => Err(self.0.unexpected(&other)),
        }
    }

    /// Closes the host's gateway. Requests that wait or run may still complete `within` that
    /// time. Returns what happened at the gateway.
    ///
    /// # Errors
    /// When there is no gateway, or the host is gone.
    pub(crate) fn drain(&mut self, within: Span) -> Result<PoolRecords, ClientError> {
        match self.0.ask(&ToHost::Drain { within }, ANSWER_TIMEOUT + within.0)? {
            FromHost::Drained(records) => Ok(records),
            other => Err(self.0.unexpected(&other)),
        }
    }

    /// Asks the host to drive a pool from inside; its last response comes within `bound`.
    ///
    /// # Errors
    /// When the artifact cannot be loaded, no instance can be made, or the host is gone.
    pub(crate) fn load(
        &mut self,
        mut load: Load,
        bound: Duration,
    ) -> Result<LoadResult, ClientError> {
        load.function.prepare.cgroup = self.0.cgroup_base();
        match self.0.ask(&ToHost::Load(Box::new(load)), ANSWER_TIMEOUT + bound)? {
            FromHost::Loaded(result) => Ok(result),
            other => Err(self.0.unexpected(&other)),
        }
    }

    /// Waits for `time`, unless the host ends before.
    ///
    /// # Errors
    /// When the host is gone.
    pub(crate) fn stay_connected(&mut self, time: Duration) -> Result<(), ClientError> {
        match self.0.receive(time)? {
            None => Ok(()),
            Some(answer) => Err(self.0.unexpected(&answer)),
        }
    }

    /// Counters of the host's own control group.
    pub(crate) fn counters(&self) -> Option<Counters> {
        self.0.counters()
    }
}
