//! What a host process can do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::artifact::Form;
use crate::cell::{Isolation, Start, Storage, Target};

/// What the hosts of one runtime can do on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Version of the host protocol; `lumos` rejects any other.
    pub protocol: u32,
    /// The runtime: the first part of the targets' names.
    pub runtime: String,
    /// Versions of the runtime and its components, such as `wasmtime` -> `48.0.8`.
    pub versions: BTreeMap<String, String>,
    /// All targets of the runtime, available or not.
    pub targets: Vec<TargetCapability>,
}

/// What one target can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetCapability {
    /// The target.
    pub target: Target,
    /// Why the target cannot be used here, and what to install; `None` if it can be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<String>,
    /// The form of the artifacts that it runs.
    pub form: Form,
    /// The form that the AoT compiler reads; AoT targets only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiled_from: Option<Form>,
    /// The isolations that it offers.
    pub isolations: Vec<Isolation>,
    /// The start kinds that it offers; [`refusal`](Self::refusal) also checks the isolation.
    pub starts: Vec<Start>,
    /// The storages that its guests can reach.
    pub storages: Vec<Storage>,
    /// Settings that affect a comparison: optimisation level, interruption, SIMD.
    pub settings: BTreeMap<String, String>,
}

impl TargetCapability {
    /// Why this target cannot run a cell with this isolation, start kind and storage; `None` if it
    /// can.
    pub fn refusal(&self, isolation: Isolation, start: Start, storage: Storage) -> Option<String> {
        let target = &self.target;
        if let Some(reason) = &self.unavailable {
            return Some(reason.clone());
        }
        if !self.isolations.contains(&isolation) {
            return Some(format!("{target} has no {isolation} isolation"));
        }
        if isolation == Isolation::Thread && matches!(start, Start::ColdProcess | Start::ColdImage)
        {
            return Some(format!(
                "{start} needs process isolation: a thread has no process of its own"
            ));
        }
        if !self.starts.contains(&start) {
            return Some(format!("{target} has no {start} start"));
        }
        if !self.storages.contains(&storage) && storage == Storage::Host {
            return Some(format!("a function of {target} has no host to call: use redis"));
        }
        if !self.storages.contains(&storage) {
            return Some(format!("guests of {target} cannot reach {storage} storage"));
        }
        None
    }
}
