//! What a host process says of itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::artifact::Form;
use crate::cell::{Isolation, Start, Storage, Target};

/// What the hosts of one runtime can do on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Version of the host protocol; `lumos` refuses another one.
    pub protocol: u32,
    /// The runtime: the first part of its targets' names.
    pub runtime: String,
    /// Versions of the runtime and what it stands on, such as `wasmtime` -> `48.0.8`.
    pub versions: BTreeMap<String, String>,
    /// The targets it knows, available or not.
    pub targets: Vec<TargetCapability>,
}

/// What one target can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetCapability {
    /// The target.
    pub target: Target,
    /// Why it cannot be used here and what to install; `None`: it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<String>,
    /// Form of the artifacts that it runs.
    pub form: Form,
    /// For AoT: the form that its compiler reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiled_from: Option<Form>,
    /// Isolations it offers.
    pub isolations: Vec<Isolation>,
    /// Start kinds it offers, for each isolation in turn checked by [`refusal`](Self::refusal).
    pub starts: Vec<Start>,
    /// Storages that its guests can reach.
    pub storages: Vec<Storage>,
    /// Settings that bear on a comparison: optimisation level, interruption, SIMD.
    pub settings: BTreeMap<String, String>,
}

impl TargetCapability {
    /// Why this target cannot run a cell of this isolation, start and storage.
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
