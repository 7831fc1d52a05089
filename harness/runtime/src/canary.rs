//! The proof that a mode runs: the artifact's canary loop against the host's own.

use lumos_model::cell::Target;
use lumos_model::protocol::ModeProof;
use lumos_model::wire::canary::spin;
use lumos_os::clock::monotonic_ns;

use crate::error::HostError;

/// Rounds of the canary loop for one reading: about 0.1 ms compiled on a desktop core.
pub const ITERATIONS: u32 = 100_000;
const READINGS: usize = 5;

/// A compiled canary takes less than this many times as long as the host's own: 1.2 to 1.8
/// times were seen of every JIT and AoT compiler on a busy x86-64 machine.
const COMPILED_BELOW: f64 = 3.0;
/// An interpreted canary takes more than this many times as long as a compiled one may:
/// 31 to 39 times the host's own were seen of Pulley, and more of WasmEdge's interpreter.
const SEPARATION: f64 = 5.0;

/// How the target says that it runs code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// Instruction by instruction.
    Interpreted,
    /// As machine code.
    Compiled,
}

/// Times the canary loop of an artifact and of the host itself.
///
/// `canary` calls the artifact's loop with a number of rounds. Readings of both are
/// interleaved and the least of each counts, so that a disturbance cannot pass for a
/// mode.
///
/// # Errors
/// When the artifact's loop fails, returns another value than the host's, or when its
/// time belongs to the other kind of execution.
pub fn prove(
    target: &Target,
    execution: Execution,
    setting: String,
    code: String,
    mut canary: impl FnMut(u32) -> Result<u32, HostError>,
) -> Result<ModeProof, HostError> {
    let refuse = |reason: String| HostError::Mode { target: target.to_string(), reason };
    let (mut canary_ns, mut reference_ns) = (u64::MAX, u64::MAX);
    for _ in 0..READINGS {
        let start = monotonic_ns();
        let expected = spin(std::hint::black_box(ITERATIONS));
        let middle = monotonic_ns();
        let value = canary(ITERATIONS)?;
        let end = monotonic_ns();
        if value != std::hint::black_box(expected) {
            return Err(refuse(format!(
                "its canary loop returned {value:#x} where the host computes {expected:#x}"
            )));
        }
        reference_ns = reference_ns.min(middle - start);
        canary_ns = canary_ns.min(end - middle);
    }
    let proof = ModeProof { target: target.clone(), setting, code, canary_ns, reference_ns };
    let slowdown = proof.slowdown();
    let bound = match execution {
        Execution::Compiled if slowdown < COMPILED_BELOW => return Ok(proof),
        Execution::Interpreted if slowdown > COMPILED_BELOW * SEPARATION => return Ok(proof),
        Execution::Compiled => format!("compiled code stays below {COMPILED_BELOW}x"),
        Execution::Interpreted => {
            format!("an interpreter needs more than {}x", COMPILED_BELOW * SEPARATION)
        }
    };
    Err(refuse(format!(
        "its canary loop takes {slowdown:.1}x the time of the host's own code ({canary_ns} ns \
         against {reference_ns} ns), but {bound}: the engine does not run the mode it was asked for"
    )))
}
