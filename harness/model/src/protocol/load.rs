//! Pools of instances under load: behind a gateway, or driven from inside the host.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::limits::HttpLimits;
use super::prepare::Prepare;
use crate::arrival::Traffic;
use crate::counters::Counters;
use crate::pool::{PoolConfig, PoolEvent};
use crate::row::Sample;
use crate::units::Span;

/// A function with the pool of its instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pooled {
    /// Its name, which is also its path at the gateway.
    pub name: String,
    /// How its instances are created. The pool decides when, so `start`, `warmup` and `gap` are
    /// ignored. `request` is the request of a [`Load`]; a gateway ignores it.
    pub prepare: Prepare,
    /// The configuration of the pool.
    pub pool: PoolConfig,
    /// Whether the engine reserves the memory of all instances in advance, if it can and they live
    /// inside the host. This makes instances faster to create and to free.
    #[serde(default)]
    pub reserve: bool,
}

/// Asks a host to serve functions over HTTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Serve {
    /// The functions; each has its own pool.
    pub functions: Vec<Pooled>,
    /// Address and port; port 0 means any free port.
    pub listen: SocketAddr,
    /// Limits of connections and requests.
    pub http: HttpLimits,
    /// Keep the machine's idle cores from halting for this long after a request that came within
    /// this time of the previous one; zero: never. It saves wake-up latency and costs power.
    pub stay_awake: Span,
    /// How many samples to keep for `ToHost::TakeRecords`, with their events; the rest are counted
    /// and dropped. Zero: keep none. Only for a single function.
    pub records: u32,
}

/// Asks a host to drive a pool from inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// The function.
    pub function: Pooled,
    /// How requests arrive.
    pub traffic: Traffic,
    /// Seed of the random parts of the traffic.
    pub seed: u64,
    /// How long to send requests.
    pub duration: Span,
    /// The limit on requests: after this many, no further one is sent.
    pub requests: u32,
}

/// What a pool did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PoolRecords {
    /// One sample per request, in the order in which they ended. Behind a gateway, `intended_ns`
    /// is the time at which the request's head was read, and `seq` is the number in its header
    /// `lumos-seq`, if it has one.
    pub samples: Vec<Sample>,
    /// State changes of the instances, in order.
    pub events: Vec<PoolEvent>,
    /// Number of samples and events that were dropped because there were too many.
    pub lost: u64,
    /// Counters of the cgroups of instances that ended since the previous records.
    pub instances: Vec<Counters>,
    /// Counters of the host process, as in [`BlockResult::host`](super::block::BlockResult::host).
    pub host: Counters,
    /// Behind a gateway: number of requests to its functions since it opened, by cause.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub causes: BTreeMap<String, u64>,
    /// Number of requests that were stopped because they did not end in time.
    #[serde(default)]
    pub stopped: u64,
}

/// The result of a [`Load`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadResult {
    /// The requests and the instances.
    pub records: PoolRecords,
    /// First intended arrival, in nanoseconds of `CLOCK_MONOTONIC`.
    pub begin_ns: u64,
    /// Time of the last response, in nanoseconds of `CLOCK_MONOTONIC`.
    pub end_ns: u64,
    /// Whether the limit on requests ended the load before its duration did.
    pub capped: bool,
    /// Whether the sender had a priority above others. Never in a closed loop.
    #[serde(default, rename = "runs_first")]
    pub raised_priority: bool,
}
