//! The proof of a target's mode.

use serde::{Deserialize, Serialize};

use crate::cell::Target;

/// Evidence that the target's mode is the one that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModeProof {
    /// The target.
    pub target: Target,
    /// The setting that chose the mode, in the engine's own terms.
    pub setting: String,
    /// What shows that compiled code is present, or absent for an interpreter.
    pub code: String,
    /// Time of the canary loop in the artifact, in nanoseconds: the minimum of several runs.
    pub canary_ns: u64,
    /// Time of the same loop in the host's own code, in nanoseconds: the minimum of several runs.
    pub reference_ns: u64,
}

impl ModeProof {
    /// Time of the artifact's canary loop relative to the host's.
    pub fn slowdown(&self) -> f64 {
        self.canary_ns as f64 / self.reference_ns.max(1) as f64
    }
}
