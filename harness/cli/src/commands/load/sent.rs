//! What was sent, and what came of it.

use lumos_load::http::{Report, Target};
use lumos_model::arrival::Traffic;
use lumos_model::health::BlockHealth;

/// What was sent, and what came of it.
pub(super) struct Sent<'a> {
    /// The URL, as the user wrote it.
    pub(super) url: &'a str,
    pub(super) target: Target,
    pub(super) traffic: Traffic,
    pub(super) seed: u64,
    pub(super) report: Report,
    /// The machine, while requests were sent.
    pub(super) health: BlockHealth,
}
