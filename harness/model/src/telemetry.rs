//! What is written for each block beside its rows: `telemetry.jsonl`.

use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::counters::Counters;
use crate::health::BlockHealth;
use crate::pool::PoolEvent;
use crate::row::{BlockId, Taint};

/// A line of `telemetry.jsonl`: what was read at the edges of a block. It is written
/// after the block's rows, so it also says that they are complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockTelemetry {
    /// Version of the file format.
    pub schema: u32,
    /// The point of the experiment.
    pub cell: Cell,
    /// Number of the block within the cell.
    pub block: u32,
    /// Position of the block in the run.
    pub order: u32,
    /// Whether it belongs to the control pair.
    pub control: bool,
    /// Rows that the block has.
    pub rows: u32,
    /// Milliseconds that the block took, host start and warm-up included.
    pub wall_ms: u64,
    /// What ended the host of a first attempt, whose samples are lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// Why the block could not be measured, if it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Counters of each instance's cgroup over the block.
    pub instances: Vec<Counters>,
    /// Counters of the host process.
    pub host: Counters,
    /// Counters of the host's cgroup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_cgroup: Option<Counters>,
    /// How the machine was doing.
    #[serde(default)]
    pub health: BlockHealth,
    /// What of that taints the block's rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    /// Of a block under load: what its pool did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolTelemetry>,
}

impl BlockTelemetry {
    /// The block.
    pub fn block_id(&self) -> BlockId {
        BlockId { cell: self.cell.clone(), block: self.block, control: self.control }
    }
}

/// What a pool did in a block; in its telemetry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PoolTelemetry {
    /// When the period began, nanoseconds of `CLOCK_MONOTONIC`.
    pub begin_ns: u64,
    /// The last response.
    pub end_ns: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Whether the number of requests, and not the duration, ended it.
    pub capped: bool,
    /// Whether the sender had a priority above others, which is root's. Never in a closed loop.
    #[serde(default, rename = "runs_first")]
    pub raised_priority: bool,
    /// The most instances that there were at one time, those on their way included.
    pub peak_instances: u32,
    /// How much later than intended requests were sent, in nanoseconds: the median. Absent
    /// in a closed loop inside of the host, where nothing can be late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_p50_ns: Option<u64>,
    /// The same: the 99th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_p99_ns: Option<u64>,
    /// Samples and events that were not kept, for there were too many.
    pub lost: u64,
    /// With the `http` driver: whether client and gateway tell the same story.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
    /// The states of the instances, in order.
    pub events: Vec<PoolEvent>,
}

/// Whether both sides tell the same story.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Requests by the client's account.
    pub client: u64,
    /// Those of them to which a complete response came.
    pub answered: u64,
    /// Requests by the gateway's account.
    pub server: u64,
    /// Requests that both have.
    pub both: u64,
    /// Requests that the client had a response to, and the gateway knows nothing of.
    pub unknown_to_server: u64,
    /// Samples of the gateway that belong to no request of the client.
    pub unknown_to_client: u64,
    /// Requests whose response says another thing than the gateway.
    pub contradicted: u64,
    /// What the gateway did not keep.
    pub lost: u64,
}

impl Agreement {
    /// What does not agree, in words; `None`: all does.
    pub fn fault(&self) -> Option<String> {
        let counts = [
            (self.unknown_to_server, "answered requests are unknown to the gateway"),
            (self.unknown_to_client, "requests of the gateway are unknown to the client"),
            (self.contradicted, "responses contradict the gateway's record of them"),
            (self.lost, "records of the gateway were not kept"),
        ];
        let faults: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        (!faults.is_empty()).then(|| {
            format!(
                "client and gateway disagree ({} and {} requests): {}",
                self.client,
                self.server,
                faults.join(", ")
            )
        })
    }
}
