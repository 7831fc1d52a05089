//! The measurements of a block as a whole: `telemetry.jsonl`.

use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::counters::Counters;
use crate::health::BlockHealth;
use crate::pool::PoolEvent;
use crate::row::{BlockId, Taint};

/// A line of `telemetry.jsonl`: what was read before and after a block. It is written after the
/// block's rows, so its presence shows that the rows are complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockTelemetry {
    /// Version of the file format.
    pub schema: u32,
    /// The measured cell.
    pub cell: Cell,
    /// Number of the block within the cell, from 0.
    pub block: u32,
    /// Position of the block in the run, from 0.
    pub order: u32,
    /// Whether the block belongs to the control pair.
    pub control: bool,
    /// Number of rows of the block.
    pub rows: u32,
    /// Duration of the block in milliseconds, with host start and warm-up.
    pub wall_ms: u64,
    /// What ended the host in a first attempt; the samples of that attempt are lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// Why the block could not be measured; absent if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Counters of each instance's cgroup during the block.
    pub instances: Vec<Counters>,
    /// Counters of the host process during the block.
    pub host: Counters,
    /// Counters of the host's cgroup during the block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_cgroup: Option<Counters>,
    /// The state of the machine during the block.
    #[serde(default)]
    pub health: BlockHealth,
    /// The disturbances among it that taint the block's rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    /// Under load: what the pool did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolTelemetry>,
}

impl BlockTelemetry {
    /// The identity of the block.
    pub fn block_id(&self) -> BlockId {
        BlockId { cell: self.cell.clone(), block: self.block, control: self.control }
    }
}

/// What a pool did during a block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PoolTelemetry {
    /// Begin of the load, in nanoseconds of `CLOCK_MONOTONIC`.
    pub begin_ns: u64,
    /// Time of the last response, in nanoseconds of `CLOCK_MONOTONIC`.
    pub end_ns: u64,
    /// Number of requests that were sent.
    pub requests: u64,
    /// Whether the limit on requests ended the load before its duration did.
    pub capped: bool,
    /// Whether the sender had a priority above others, which is root's. Never in a closed loop.
    #[serde(default, rename = "runs_first")]
    pub raised_priority: bool,
    /// Highest number of instances at one time, including those being created.
    pub peak_instances: u32,
    /// Median delay from the intended to the actual send time, in nanoseconds. Absent in a closed
    /// loop inside the host, where no request can be late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_p50_ns: Option<u64>,
    /// 99th percentile of the same delay, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_p99_ns: Option<u64>,
    /// Number of samples and events that were dropped because there were too many.
    pub lost: u64,
    /// With the `http` driver: whether the records of client and gateway match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
    /// State changes of the instances, in order.
    pub events: Vec<PoolEvent>,
}

/// Counts that show whether the records of client and gateway match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Requests recorded by the client.
    pub client: u64,
    /// Requests of the client that got a complete response.
    pub answered: u64,
    /// Requests recorded by the gateway.
    pub server: u64,
    /// Requests recorded by both.
    pub both: u64,
    /// Requests that got a response but have no record at the gateway.
    pub unknown_to_server: u64,
    /// Records of the gateway that match no request of the client.
    pub unknown_to_client: u64,
    /// Requests whose response contradicts the gateway's record.
    pub contradicted: u64,
    /// Records that the gateway dropped.
    pub lost: u64,
}

impl Agreement {
    /// Whether the records match.
    pub const fn agrees(&self) -> bool {
        self.unknown_to_server == 0
            && self.unknown_to_client == 0
            && self.contradicted == 0
            && self.lost == 0
    }

    /// The mismatches, as text; `None` if the records match.
    pub fn fault(&self) -> Option<String> {
        if self.agrees() {
            return None;
        }
        let counts = [
            ("answered but unknown to the gateway", self.unknown_to_server),
            ("unknown to the client", self.unknown_to_client),
            ("answered with a contradicting response", self.contradicted),
            ("dropped from the gateway's record", self.lost),
        ];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let counts: Vec<String> = counts.map(|(what, count)| format!("{count} {what}")).collect();
        Some(format!(
            "the records of client ({} requests) and gateway ({}) do not match: {}",
            self.client,
            self.server,
            counts.join(", ")
        ))
    }
}
