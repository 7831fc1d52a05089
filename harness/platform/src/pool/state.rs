//! What a pool knows.

use std::collections::VecDeque;

use lumos_model::pool::PoolConfig;

use super::action::Ticket;
use super::autoscaler::Autoscaler;
use super::backoff::Backoff;
use super::convert::{count, nanos};
use super::instances::Instances;
use super::standing::Standing;

/// A pool of instances. All times are nanoseconds of one monotonic clock. A time before that
/// of an earlier call counts as that of the earlier call, because callers may read the clock
/// before they acquire the lock of the pool.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(super) config: PoolConfig,
    pub(super) keep_alive_ns: u64,
    pub(super) now_ns: u64,
    pub(super) waiting: VecDeque<Ticket>,
    pub(super) instances: Instances,
    /// Only with [`Scaling::Window`](lumos_model::pool::Scaling::Window).
    pub(super) autoscaler: Option<Autoscaler>,
    pub(super) backoff: Backoff,
    pub(super) draining: bool,
}

impl Pool {
    /// An empty pool. A maximum below the minimum or the reserve bounds them.
    pub(crate) fn new(config: PoolConfig) -> Self {
        Self {
            keep_alive_ns: nanos(config.keep_alive.0),
            now_ns: 0,
            waiting: VecDeque::new(),
            instances: Instances::default(),
            autoscaler: Autoscaler::new(config.scaling),
            backoff: Backoff::default(),
            draining: false,
            config,
        }
    }

    /// Whether the pool is draining and no instance is left, not even one in provisioning.
    pub(crate) fn is_drained(&self) -> bool {
        self.draining && self.instances.total() == 0
    }

    pub(crate) fn standing(&self) -> Standing {
        Standing { queued: count(self.waiting.len()), ..self.instances.standing() }
    }
}
