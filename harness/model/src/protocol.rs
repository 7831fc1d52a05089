//! What `lumos` and a host process say to each other.
//!
//! Each message is a frame ([`crate::codec`]) on the host's standard input or output. `lumos` asks, the host answers each request with
//! one message, in order. At the end of its input a host stops what it runs, removes
//! the cgroups it made, and exits.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::arrival::Traffic;
use crate::capability::Capabilities;
use crate::cell::{Isolation, Start, Target};
use crate::counters::Counters;
use crate::pool::{PoolConfig, PoolEvent};
use crate::row::Sample;
use crate::units::{ByteSize, Span};

/// Version of this protocol.
pub const PROTOCOL: u32 = 2;

/// Bounds on an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// CPU bandwidth in cores; absent: all there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<f64>,
    /// Memory; absent: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<ByteSize>,
    /// Longest time of one invocation, cold start included.
    #[serde(default = "Limits::default_timeout")]
    pub timeout: Span,
}

impl Limits {
    /// 60 seconds.
    pub const fn default_timeout() -> Span {
        Span(std::time::Duration::from_secs(60))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { cpus: None, memory: None, timeout: Self::default_timeout() }
    }
}

/// Where the host makes the cgroups of its instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupBase {
    /// Path below the root of each hierarchy, such as `lumos/run-1234/instances`.
    pub path: String,
}

/// All that a host must know to measure one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prepare {
    /// Runtime and mode.
    pub target: Target,
    /// The artifact's file.
    pub artifact: PathBuf,
    /// Where the instance lives.
    pub isolation: Isolation,
    /// What is new for each sample.
    pub start: Start,
    /// Bounds on the instance.
    pub limits: Limits,
    /// The instance's environment, complete.
    pub env: BTreeMap<String, String>,
    /// The folder of the instance's files; absent: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The request that each invocation gets.
    pub request: String,
    /// Invocations before the first warm sample.
    pub warmup: u32,
    /// Pause before each cold sample.
    pub gap: Span,
    /// Where instance cgroups go; absent: none are made and CPU and memory come from
    /// the process alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<CgroupBase>,
}

/// A function with the pool of its instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pooled {
    /// Its name, which is its path at the gateway.
    pub name: String,
    /// What its instances are made of. `start`, `warmup` and `gap` are not used: the pool
    /// decides. `request` is what a [`Load`] sends; a gateway takes what it is sent.
    pub prepare: Prepare,
    /// How its instances are kept.
    pub pool: PoolConfig,
    /// Have the engine reserve the memory of all instances beforehand, where it can and
    /// they live inside the host: making and freeing one is quicker then.
    #[serde(default)]
    pub reserve: bool,
}

/// What a gateway accepts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpLimits {
    /// Longest request body.
    pub body: ByteSize,
    /// Longest head of a request.
    pub headers: ByteSize,
    /// Connections at one time; a further one waits to be accepted.
    pub connections: u32,
    /// How long a connection may take to send the head of its next request, and then how
    /// long to send the body.
    pub idle: Span,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body: ByteSize(16 << 20),
            headers: ByteSize(16 << 10),
            connections: 1024,
            idle: Span(std::time::Duration::from_secs(60)),
        }
    }
}

/// Serve functions over HTTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Serve {
    /// The functions, which share no instance.
    pub functions: Vec<Pooled>,
    /// Address and port; port 0: a free one.
    pub listen: SocketAddr,
    /// What is accepted.
    pub http: HttpLimits,
    /// How long the machine's idle cores are kept from halting after a request that followed
    /// another one so soon; zero: not at all. It saves wake-ups and costs power.
    pub stay_awake: Span,
    /// Keep samples and events for [`ToHost::TakeRecords`], at most so many samples; what is
    /// beyond is counted and not kept. For one function only; zero: keep none.
    pub records: u32,
}

/// Drive a pool from inside the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// The function.
    pub function: Pooled,
    /// How requests arrive.
    pub traffic: Traffic,
    /// Seed of what is random in it.
    pub seed: u64,
    /// How long requests are sent.
    pub duration: Span,
    /// Requests after which no further one is sent.
    pub requests: u32,
}

/// What a pool did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PoolRecords {
    /// One for each request, in the order of their end. Behind a gateway `intended_ns` is
    /// the time at which the request's head was read, and `seq` is the number in its header
    /// `lumos-seq`, if it has one.
    pub samples: Vec<Sample>,
    /// The states of the instances, in order.
    pub events: Vec<PoolEvent>,
    /// Samples and events that were not kept, for there were too many.
    pub lost: u64,
    /// Counters of the cgroups of instances that ended since the last time.
    pub instances: Vec<Counters>,
    /// As in [`BlockResult::host`].
    pub host: Counters,
    /// Behind a gateway: all requests to its functions since it was opened, by cause.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub causes: BTreeMap<String, u64>,
    /// Requests that were stopped at the end, since they did not end in time.
    #[serde(default)]
    pub stopped: u64,
}

/// What came of a [`Load`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadResult {
    /// The requests and the instances.
    pub records: PoolRecords,
    /// First intended arrival, nanoseconds of `CLOCK_MONOTONIC`.
    pub begin_ns: u64,
    /// The last response.
    pub end_ns: u64,
    /// Whether the number of requests, and not the duration, ended it.
    pub capped: bool,
    /// Whether the sender had a priority above others. Never in a closed loop.
    #[serde(default)]
    pub runs_first: bool,
}

/// From `lumos` to a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum ToHost {
    /// What can you do? Answered by [`FromHost::Capabilities`].
    Capabilities,
    /// Show that this artifact runs in the target's mode. Answered by [`FromHost::Proof`].
    ProveMode {
        /// Runtime and mode.
        target: Target,
        /// The artifact's file.
        artifact: PathBuf,
    },
    /// Make ready for a cell; warm instances are started and warmed up. Answered by
    /// [`FromHost::Prepared`].
    Prepare(Box<Prepare>),
    /// Measure. Answered by [`FromHost::Block`].
    Block {
        /// How many samples.
        samples: u32,
        /// Return the outputs too.
        keep_output: bool,
        /// Take no further sample after this time; the first one is always taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        budget: Option<Span>,
    },
    /// Open a gateway; one at a time. Answered by [`FromHost::Serving`].
    Serve(Box<Serve>),
    /// What happened at the gateway since the last time? Answered by
    /// [`FromHost::Records`].
    TakeRecords,
    /// Take no further request, finish those that wait or run for at most so long, end the
    /// instances, close the gateway. Answered by [`FromHost::Drained`].
    Drain {
        /// What still runs after that is stopped.
        within: Span,
    },
    /// Drive a pool. Answered by [`FromHost::Loaded`].
    Load(Box<Load>),
}

/// From a host to `lumos`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum FromHost {
    /// What the host can do.
    Capabilities(Capabilities),
    /// How the target's mode was shown.
    Proof(ModeProof),
    /// Ready for [`ToHost::Block`]. The warm-up's samples, for the record.
    Prepared {
        /// The invocations that warmed the instance up, first the cold one.
        warmup: Vec<Sample>,
    },
    /// What was measured.
    Block(BlockResult),
    /// The gateway takes requests.
    Serving {
        /// Where.
        address: SocketAddr,
        /// What it does without, and why.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
    },
    /// What happened at the gateway.
    Records(PoolRecords),
    /// The gateway is closed; the last of what happened.
    Drained(PoolRecords),
    /// What came of the load.
    Loaded(LoadResult),
    /// The request could not be carried out; the host goes on.
    Failed {
        /// What, why, and what to do.
        error: String,
    },
}

/// The samples of a block and what was read at its edges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockResult {
    /// The invocations, in order.
    pub samples: Vec<Sample>,
    /// Counters of the instances' cgroups, one entry an instance that was ended or
    /// read; counters that the kernel does not offer are absent.
    pub instances: Vec<Counters>,
    /// What the host process used over the block (`cpu_ns`, page faults), and its memory at
    /// the end. With an instance inside of it also its memory without the instance
    /// (`pss_before_bytes`, `anonymous_before_bytes`) and with it
    /// (`pss_with_instance_bytes`, `anonymous_with_instance_bytes`): the difference is the
    /// instance's, with what the engine compiled for it.
    pub host: Counters,
}

/// Evidence that the mode that was asked for is the one that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModeProof {
    /// The target that was proven.
    pub target: Target,
    /// How the mode was chosen, in the engine's own terms.
    pub setting: String,
    /// What shows that compiled code is present (or absent for an interpreter).
    pub code: String,
    /// Time of the canary loop in the artifact, in nanoseconds, the least of several.
    pub canary_ns: u64,
    /// Time of the same loop in the host's own code, in nanoseconds, the least of several.
    pub reference_ns: u64,
}

/// How a target runs code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// An interpreter executes it instruction by instruction.
    Interpreted,
    /// The processor executes it as machine code.
    Compiled,
}

impl ModeProof {
    /// A compiled canary takes less than this many times as long as the host's own code.
    /// Every JIT and AoT compiler took 1.2 to 1.8 times as long on a busy x86-64 machine.
    pub const COMPILED_BELOW: f64 = 3.0;
    /// An interpreted canary takes more than this many times as long as the host's own code,
    /// which is five times the bound for compiled code. Pulley took 31 to 39 times as long,
    /// WasmEdge's interpreter longer.
    pub const INTERPRETED_ABOVE: f64 = 5.0 * Self::COMPILED_BELOW;

    /// How many times slower the artifact's canary is than the host's own code.
    pub fn slowdown(&self) -> f64 {
        self.canary_ns as f64 / self.reference_ns.max(1) as f64
    }

    /// The kind of execution that the slowdown shows; `None`: it lies between the two bounds.
    pub fn execution(&self) -> Option<Execution> {
        let slowdown = self.slowdown();
        if slowdown < Self::COMPILED_BELOW {
            Some(Execution::Compiled)
        } else if slowdown > Self::INTERPRETED_ABOVE {
            Some(Execution::Interpreted)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slowdown_between_the_bounds_shows_no_kind_of_execution() {
        let execution = |canary_ns| {
            ModeProof {
                target: "native".parse().unwrap(),
                setting: String::new(),
                code: String::new(),
                canary_ns,
                reference_ns: 100,
            }
            .execution()
        };
        assert_eq!(execution(299), Some(Execution::Compiled));
        assert_eq!([execution(300), execution(1500)], [None; 2]);
        assert_eq!(execution(1501), Some(Execution::Interpreted));
    }
}
