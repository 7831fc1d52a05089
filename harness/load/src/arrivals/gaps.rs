//! Idle gaps before requests.

use std::time::Duration;

use lumos_model::arrival::Delayed;

use crate::random::{Purpose, Random};

/// The idle time before each request: zero, or the gap of a [`Delayed`]. Endless.
#[derive(Clone, Debug)]
pub struct Gaps {
    delayed: Option<Delayed>,
    random: Random,
}

impl Gaps {
    pub(super) fn new(delayed: Option<Delayed>, seed: u64, purpose: Purpose) -> Self {
        Self { delayed, random: Random::new(seed, purpose) }
    }

    /// The gap before the next request.
    pub fn next_gap(&mut self) -> Duration {
        match self.delayed {
            Some(Delayed { share, gap }) if self.random.chance(share.get()) => gap.0,
            _ => Duration::ZERO,
        }
    }
}
