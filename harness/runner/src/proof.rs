//! Proofs that an artifact runs in the mode that its target names.

use std::path::Path;
use std::time::Duration;

use lumos_model::cell::Target;
use lumos_model::protocol::ModeProof;

use crate::hosts::{ClientError, HostClient};

/// How often a host may try to prove a mode until the mode counts as not proven.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempts {
    count: u32,
    pause: Duration,
}

impl Attempts {
    /// For the gate of a run.
    pub(crate) const GATE: Self = Self { count: 3, pause: Duration::ZERO };

    /// For `lumos serve`: it measures nothing, so it can wait until other work on the machine
    /// leaves the canary its time.
    pub(crate) const SERVE: Self = Self { count: 15, pause: Duration::from_millis(30) };
}

/// Asks `host` for a proof that the artifact at `path` runs in the mode of `target`.
///
/// Other work on the machine can spoil the time of the canary loop, but it does not make one
/// mode look like another time after time. So only the last of `attempts` counts as a refusal.
///
/// # Errors
/// When the host has no proof, or is gone.
pub(crate) fn prove(
    host: &mut HostClient,
    target: &Target,
    path: &Path,
    attempts: Attempts,
) -> Result<ModeProof, ClientError> {
    let mut proof = host.prove(target, path);
    for _ in 1..attempts.count {
        if !matches!(proof, Err(ClientError::Refused(_))) {
            break;
        }
        std::thread::sleep(attempts.pause);
        proof = host.prove(target, path);
    }
    proof
}
