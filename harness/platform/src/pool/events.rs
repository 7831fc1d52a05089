//! What instances went through, until somebody takes it.

use lumos_model::pool::{InstanceState, PoolEvent};

/// How many changes of state are kept until they are taken; what comes then is counted
/// and lost. Two for each request: one second of 130,000 requests a second.
pub const EVENT_LIMIT: usize = 1 << 18;

/// A log with a bound. Its memory is there from the beginning, though the kernel gives it
/// page by page as it is filled: to note something never allocates.
#[derive(Debug)]
pub(super) struct Events {
    kept: Vec<PoolEvent>,
    /// Somebody takes them.
    wanted: bool,
    lost: u64,
}

impl Default for Events {
    fn default() -> Self {
        Self { kept: Vec::with_capacity(EVENT_LIMIT), wanted: true, lost: 0 }
    }
}

impl Events {
    pub(super) fn note(&mut self, instance: u32, state: InstanceState, at_ns: u64) {
        if !self.wanted {
            return;
        }
        if self.kept.len() < EVENT_LIMIT {
            self.kept.push(PoolEvent { at_ns, instance, state });
        } else {
            self.lost += 1;
        }
    }

    /// Nobody will take them: what is kept is dropped, and nothing is noted from here on.
    pub(super) fn forget(&mut self) {
        self.wanted = false;
        self.kept = Vec::new();
    }

    pub(super) fn take(&mut self) -> Vec<PoolEvent> {
        let room = if self.wanted { EVENT_LIMIT } else { 0 };
        std::mem::replace(&mut self.kept, Vec::with_capacity(room))
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost
    }
}
