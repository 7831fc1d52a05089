//! What is written for each invocation.

use serde::{Deserialize, Serialize};

use crate::cell::{Cell, Start};
use crate::phase::{Phase, Phases};

crate::words! {
    /// How an invocation ended.
    Outcome, "outcome" {
        /// The function answered with an output.
        Ok = "ok",
        /// The function answered with an error, or its output was not the expected one.
        Error = "error",
        /// The guest trapped or its process died.
        Trap = "trap",
        /// The guest passed its deadline and was stopped.
        Timeout = "timeout",
        /// The guest ran out of memory.
        OutOfMemory = "oom",
        /// No instance was free and the queue was full.
        Rejected = "rejected",
        /// The client left before the answer.
        Cancelled = "cancelled",
        /// Served, but not with the start kind that the cell asks for.
        WrongStart = "wrong-start",
    }
}

crate::words! {
    /// What disturbed the machine while a block was measured. The limits are those of
    /// `lumos_os::machine::health`; the values stand in the block's telemetry.
    Taint, "taint" {
        /// The firmware of a Raspberry Pi lacked power, or capped the clock.
        Throttled = "throttled",
        /// The hypervisor gave the CPU to another machine.
        Steal = "steal",
        /// Other processes wanted all cores.
        Load = "load",
        /// The CPU's clock fell although it is set to stay.
        Frequency = "frequency",
    }
}

/// Parts of `provision` that are worth telling apart, in nanoseconds; they overlap
/// with the phase and are not added to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionSpans {
    /// The cgroup made and its limits written.
    pub cgroup_create_ns: u64,
    /// The child created and put into its cgroup, until `execve` was reached.
    pub attach_ns: u64,
    /// `execve`, the loader and the runtime's start, until `main`.
    pub exec_ns: u64,
}

/// One invocation as the host measured it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Position in the block, from 0.
    pub seq: u32,
    /// What was new for it, as it was and not as it was asked for.
    pub start_kind: Start,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Intended arrival, nanoseconds of `CLOCK_MONOTONIC`.
    pub intended_ns: u64,
    /// From the intended arrival to the response.
    pub total_ns: u64,
    /// The total taken apart; with `other` the phases add up to `total_ns`.
    pub phases_ns: Phases,
    /// Parts of `provision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision_spans: Option<ProvisionSpans>,
    /// Before a cold sample: how long nothing was done, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_ns: Option<u64>,
    /// For `cold:image`: pages of the artifact that left memory before the sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evicted_pages: Option<u64>,
    /// For `cold:image`: pages of the artifact that did not leave; not zero: `wrong-start`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident_pages_after: Option<u64>,
    /// Under load: the number of the instance in its pool; absent: none was assigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<u32>,
    /// Under load: how much later than intended the request was sent; part of `total_ns`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_ns: Option<u64>,
    /// With the `http` driver: what the client waited, from its sending on, beyond the
    /// gateway's own account (network, HTTP, wake-ups); part of `total_ns` and of `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_ns: Option<u64>,
    /// The instance freed after the response; not in `total_ns`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teardown_ns: Option<u64>,
    /// CPU time of the instance's process or thread during the invocation; for a cold
    /// process since its creation. Absent when the process died before it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ns: Option<u64>,
    /// Peak memory of the instance's cgroup; absent for `thread` and without cgroups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// Size of the guest's linear memory after the invocation; absent for `native`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear_memory_bytes: Option<u64>,
    /// Size of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
    /// SHA-256 of the output, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_sha256: Option<String>,
    /// The output itself, when it was asked for; never written to a run's rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

impl Sample {
    /// What stands for an invocation of which only the times and the ending are known: no
    /// phase but `other`, and nothing of its instance or output.
    pub fn unserved(seq: u32, start_kind: Start, outcome: Outcome, times: Times) -> Self {
        let Times { intended_ns, total_ns } = times;
        let mut phases_ns = Phases::default();
        phases_ns.add(Phase::Other, total_ns);
        Self {
            seq,
            start_kind,
            outcome,
            error: None,
            intended_ns,
            total_ns,
            phases_ns,
            provision_spans: None,
            gap_ns: None,
            evicted_pages: None,
            resident_pages_after: None,
            instance: None,
            late_ns: None,
            platform_ns: None,
            teardown_ns: None,
            cpu_ns: None,
            memory_peak_bytes: None,
            linear_memory_bytes: None,
            output_bytes: None,
            output_sha256: None,
            output: None,
        }
    }
}

/// When an invocation was to arrive, and how long it took from then on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Intended arrival, nanoseconds of `CLOCK_MONOTONIC`.
    pub intended_ns: u64,
    /// From the intended arrival to the response or the failure, in nanoseconds.
    pub total_ns: u64,
}

/// What identifies a block within a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId {
    /// The point of the experiment.
    pub cell: Cell,
    /// Number of the block within the cell, from 0.
    pub block: u32,
    /// Whether it belongs to the control pair.
    pub control: bool,
}

impl Row {
    /// The block that the row belongs to.
    pub fn block_id(&self) -> BlockId {
        BlockId { cell: self.cell.clone(), block: self.block, control: self.control }
    }
}

/// A line of `invocations.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Version of the file format.
    pub schema: u32,
    /// The point of the experiment.
    pub cell: Cell,
    /// Number of the block within the cell, from 0.
    pub block: u32,
    /// Position of the block in the shuffled order of the run, from 0.
    pub order: u32,
    /// Whether the block belongs to the control pair (`native` again).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub control: bool,
    /// What disturbed the machine during the block; the numbers stand and are counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    /// The invocation.
    #[serde(flatten)]
    pub sample: Sample,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Demand, Isolation, Size, Storage};

    #[test]
    fn a_row_is_flat_and_holds_no_absent_counter() {
        let mut phases = Phases::default();
        phases.add(Phase::Compute, 5);
        let row = Row {
            schema: crate::SCHEMA,
            cell: Cell {
                function: "noop".into(),
                size: Size::Tiny,
                target: "native".parse().unwrap(),
                isolation: Isolation::Process,
                storage: Storage::Inline,
                demand: Demand::Each(Start::Warm),
            },
            block: 1,
            order: 2,
            control: false,
            taints: vec![Taint::Steal],
            sample: Sample {
                phases_ns: phases,
                cpu_ns: Some(6),
                output_bytes: Some(7),
                output_sha256: Some("00".into()),
                ..Sample::unserved(
                    3,
                    Start::Warm,
                    Outcome::Ok,
                    Times { intended_ns: 4, total_ns: 5 },
                )
            },
        };
        let json = serde_json::to_string(&row).unwrap();
        assert!(!json.contains("memory_peak_bytes") && !json.contains("null"), "{json}");
        assert!(
            json.contains(r#""outcome":"ok""#) && json.contains(r#""phases_ns":{"compute":5}"#)
        );
        assert!(json.contains(r#""taints":["steal"]"#), "{json}");
        assert_eq!(serde_json::from_str::<Row>(&json).unwrap(), row);
        // Rows of earlier versions have no such field.
        let clean = json.replace(r#""taints":["steal"],"#, "");
        assert_eq!(serde_json::from_str::<Row>(&clean).unwrap().taints, []);
    }
}
