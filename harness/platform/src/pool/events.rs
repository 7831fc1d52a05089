//! The log of state changes.

use lumos_model::pool::{InstanceState, PoolEvent};

use super::action::InstanceId;

/// How many state changes are kept until they are taken; further ones are counted as lost.
/// A request causes two: this is one second of 130,000 requests a second.
pub(crate) const EVENT_LIMIT: usize = 1 << 18;

/// A bounded log. Its memory is reserved at the start (the kernel backs it page by page as it
/// fills), so that recording never allocates.
#[derive(Debug)]
pub(super) struct Events {
    kept: Vec<PoolEvent>,
    enabled: bool,
    lost: u64,
}

impl Default for Events {
    fn default() -> Self {
        Self { kept: Vec::with_capacity(EVENT_LIMIT), enabled: true, lost: 0 }
    }
}

impl Events {
    pub(super) fn record(&mut self, instance: InstanceId, state: InstanceState, at_ns: u64) {
        if !self.enabled {
            return;
        }
        if self.kept.len() < EVENT_LIMIT {
            self.kept.push(PoolEvent { at_ns, instance, state });
        } else {
            self.lost += 1;
        }
    }

    /// Drops the log and records nothing from now on.
    pub(super) fn disable(&mut self) {
        self.enabled = false;
        self.kept = Vec::new();
    }

    pub(super) fn take(&mut self) -> Vec<PoolEvent> {
        let room = if self.enabled { EVENT_LIMIT } else { 0 };
        std::mem::replace(&mut self.kept, Vec::with_capacity(room))
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost
    }
}
