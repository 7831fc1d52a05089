//! The record of an invocation: `invocations.jsonl`.

use serde::{Deserialize, Serialize};

use crate::cell::{Cell, Start};
use crate::phase::{Phase, Phases};

crate::words! {
    /// How an invocation ended.
    Outcome, "outcome" {
        /// The function returned an output.
        Ok = "ok",
        /// The function returned an error, or its output was not the expected one.
        Error = "error",
        /// The guest trapped or its process died.
        Trap = "trap",
        /// The guest exceeded its deadline and was stopped.
        Timeout = "timeout",
        /// The guest ran out of memory.
        OutOfMemory = "oom",
        /// No instance was free and the queue was full.
        Rejected = "rejected",
        /// The client disconnected before the response.
        Cancelled = "cancelled",
        /// The request was served, but not with the cell's start kind.
        WrongStart = "wrong-start",
    }
}

crate::words! {
    /// A disturbance of the machine while a block was measured. Module `health` holds the limits;
    /// the values are in the block's telemetry.
    Taint, "taint" {
        /// A Raspberry Pi had too little power, or its firmware capped the CPU clock.
        Throttled = "throttled",
        /// The hypervisor gave CPU time to another virtual machine.
        Steal = "steal",
        /// Other processes competed for all cores.
        Load = "load",
        /// The CPU clock fell although the governor should hold it.
        Frequency = "frequency",
    }
}

/// Parts of the phase `provision`, in nanoseconds. They overlap with the phase and are not added
/// to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionSpans {
    /// The cgroup is created and its limits are written.
    pub cgroup_create_ns: u64,
    /// The child is created and enters its cgroup, until it calls `execve`.
    pub attach_ns: u64,
    /// `execve`, the dynamic loader and the start of the language runtime, until `main`.
    pub exec_ns: u64,
}

/// One invocation as the host measured it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Position in the block, from 0.
    pub seq: u32,
    /// The actual start kind, which may differ from the requested one.
    pub start_kind: Start,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Intended arrival, nanoseconds of `CLOCK_MONOTONIC`.
    pub intended_ns: u64,
    /// From the intended arrival to the response.
    pub total_ns: u64,
    /// The phases; with `other` they add up to `total_ns`.
    pub phases_ns: Phases,
    /// Parts of the phase `provision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision_spans: Option<ProvisionSpans>,
    /// The idle time before a cold sample, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_ns: Option<u64>,
    /// For `cold:image`: number of the artifact's pages evicted before the sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evicted_pages: Option<u64>,
    /// For `cold:image`: number of the artifact's pages that stayed in memory. If it is not zero,
    /// the outcome is `wrong-start`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident_pages_after: Option<u64>,
    /// Under load: the number of the instance in its pool; absent if none was assigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<u32>,
    /// Under load: the delay from the intended to the actual send time; part of `total_ns`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_ns: Option<u64>,
    /// With the `http` driver: the client's wait after sending that the gateway did not measure
    /// (network, HTTP, wake-ups); part of `total_ns` and of `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_ns: Option<u64>,
    /// Time to free the instance after the response; not part of `total_ns`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teardown_ns: Option<u64>,
    /// CPU time of the instance's process or thread during the invocation; of a cold process since
    /// its creation. Absent if the process died before the clock was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ns: Option<u64>,
    /// Peak memory of the instance's cgroup; absent in `thread` isolation and without cgroups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// Size of the guest's linear memory after the invocation; absent on `native`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear_memory_bytes: Option<u64>,
    /// Size of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
    /// SHA-256 of the output, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_sha256: Option<String>,
    /// The output itself, if it was requested; never written to the rows of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

impl Sample {
    /// An invocation of which only the times and the outcome are known: its one phase is `other`,
    /// and it has no data about an instance or an output.
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

/// The times of an invocation that do not depend on how it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Intended arrival, nanoseconds of `CLOCK_MONOTONIC`.
    pub intended_ns: u64,
    /// From the intended arrival to the response or the failure, in nanoseconds.
    pub total_ns: u64,
}

/// The identity of a block within a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId {
    /// The measured cell.
    pub cell: Cell,
    /// Number of the block within the cell, from 0.
    pub block: u32,
    /// Whether the block belongs to the control pair.
    pub control: bool,
}

/// A line of `invocations.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Version of the file format.
    pub schema: u32,
    /// The measured cell.
    pub cell: Cell,
    /// Number of the block within the cell, from 0.
    pub block: u32,
    /// Position of the block in the shuffled order of the run, from 0.
    pub order: u32,
    /// Whether the block belongs to the control pair (`native` again).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub control: bool,
    /// Disturbances of the machine during the block. They mark the row; its numbers still count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    /// The invocation.
    #[serde(flatten)]
    pub sample: Sample,
}

impl Row {
    /// The identity of the row's block.
    pub fn block_id(&self) -> BlockId {
        BlockId { cell: self.cell.clone(), block: self.block, control: self.control }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Demand, Isolation, Size, Storage};

    #[test]
    fn a_row_is_flat_and_omits_absent_counters() {
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
        // Rows of earlier versions lack this field.
        let clean = json.replace(r#""taints":["steal"],"#, "");
        assert_eq!(serde_json::from_str::<Row>(&clean).unwrap().taints, []);
    }
}
