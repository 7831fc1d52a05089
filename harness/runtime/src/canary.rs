//! The proof of a target's mode: the artifact's canary loop, timed against the host's own.

use lumos_model::cell::Target;
use lumos_model::protocol::{Execution, ModeProof};
use lumos_model::wire::canary::spin;
use lumos_os::clock::monotonic_ns;

use crate::error::HostError;

/// Rounds of the canary loop in one reading: about 0.1 ms of compiled code on a desktop core.
pub const ITERATIONS: u32 = 100_000;
const READINGS: usize = 5;

/// Times the canary loop of an artifact and the host's own.
///
/// `canary` runs the artifact's loop for a number of rounds. Readings of the two loops
/// alternate and the fastest of each counts, so that a disturbance cannot pass for a mode.
///
/// # Errors
/// When the artifact's loop fails, returns a value other than the host's, or takes a time
/// that does not show `expected`.
pub fn prove(
    target: &Target,
    expected: Execution,
    setting: String,
    code: String,
    canary: impl FnMut(u32) -> Result<u32, HostError>,
) -> Result<ModeProof, HostError> {
    let (canary_ns, reference_ns) = fastest(target, canary)?;
    let proof = ModeProof { target: target.clone(), setting, code, canary_ns, reference_ns };
    if proof.execution() == Some(expected) {
        return Ok(proof);
    }
    let slowdown = proof.slowdown();
    let bound = match expected {
        Execution::Compiled => format!("compiled code stays below {}x", ModeProof::COMPILED_BELOW),
        Execution::Interpreted => {
            format!("an interpreter needs more than {}x", ModeProof::INTERPRETED_ABOVE)
        }
    };
    Err(refuse(
        target,
        format!(
            "its canary loop takes {slowdown:.1}x the time of the host's own code ({canary_ns} ns \
             against {reference_ns} ns), but {bound}: the engine does not run the mode it was \
             asked for"
        ),
    ))
}

/// The fastest readings of the artifact's loop and of the host's own, in nanoseconds.
fn fastest(
    target: &Target,
    mut canary: impl FnMut(u32) -> Result<u32, HostError>,
) -> Result<(u64, u64), HostError> {
    let (mut canary_ns, mut reference_ns) = (u64::MAX, u64::MAX);
    for _ in 0..READINGS {
        let start_ns = monotonic_ns();
        let expected = spin(std::hint::black_box(ITERATIONS));
        let middle_ns = monotonic_ns();
        let value = canary(ITERATIONS)?;
        let end_ns = monotonic_ns();
        if value != std::hint::black_box(expected) {
            let reason = format!(
                "its canary loop returned {value:#x} where the host computes {expected:#x}"
            );
            return Err(refuse(target, reason));
        }
        reference_ns = reference_ns.min(middle_ns - start_ns);
        canary_ns = canary_ns.min(end_ns - middle_ns);
    }
    Ok((canary_ns, reference_ns))
}

fn refuse(target: &Target, reason: String) -> HostError {
    HostError::Mode { target: target.to_string(), reason }
}
