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

    /// Time of the artifact's canary loop relative to the host's.
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
