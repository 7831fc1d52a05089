//! How many instances are wanted, and when that may change by time alone.

use super::action::InstanceId;
use super::convert::count;
use super::state::Pool;

/// An idle instance that will be reclaimed if nothing else happens.
pub(super) struct Expiry {
    pub(super) instance: InstanceId,
    pub(super) at_ns: u64,
}

impl Pool {
    /// Whether a request that finds no idle instance may wait.
    pub(super) fn may_wait(&self) -> bool {
        let max = self.config.max_instances;
        let most = if self.autoscaler.is_some() { max.min(1) } else { max };
        let makeable = most.saturating_sub(self.instances.total());
        let coming = u64::from(self.instances.provisioning()) + u64::from(makeable);
        (self.waiting.len() as u64) < coming + u64::from(self.config.queue)
    }

    /// Instances that requests need at once.
    pub(super) fn demand(&self) -> u32 {
        let waiting = count(self.waiting.len());
        match self.autoscaler {
            _ if self.draining => 0,
            None => self.instances.busy() + waiting,
            Some(_) => waiting.min(1),
        }
    }

    /// Instances that are wanted whatever the autoscaler decides.
    fn least(&self) -> u32 {
        if self.draining {
            return 0;
        }
        let used = self.demand().max(self.instances.busy());
        used.saturating_add(self.config.prewarmed).max(self.config.min_instances)
    }

    /// Instances that are wanted in all.
    pub(super) fn want(&self) -> u32 {
        let autoscaler = self.autoscaler.as_ref().filter(|_| !self.draining);
        self.least().max(autoscaler.map_or(0, |autoscaler| autoscaler.desired()))
    }

    /// How many of `want` instances do not exist yet, within the maximum.
    pub(super) fn lacking(&self, want: u32) -> u32 {
        want.min(self.config.max_instances).saturating_sub(self.instances.total())
    }

    /// The next instance that is reclaimed by time alone; `None`: all idle ones are wanted.
    pub(super) fn next_expiry(&self) -> Option<Expiry> {
        if self.draining {
            return self
                .instances
                .longest_idle(0)
                .map(|idle| Expiry { instance: idle.id, at_ns: 0 });
        }
        let idle = self.instances.longest_idle(self.config.prewarmed)?;
        self.has_surplus().then(|| Expiry {
            instance: idle.id,
            at_ns: idle.since_ns.saturating_add(self.keep_alive_ns),
        })
    }

    /// Whether an idle instance may be reclaimed at the end of its keep-alive.
    fn has_surplus(&self) -> bool {
        let idle = self.instances.idle();
        match &self.autoscaler {
            None => {
                let claimed = count(self.waiting.len());
                let unclaimed = self.instances.provisioning().saturating_sub(claimed);
                self.instances.ready() > self.config.min_instances
                    && idle + unclaimed > self.config.prewarmed
            }
            Some(autoscaler) => {
                let last = idle == 1 && self.instances.total() == 1;
                last && self.want() == 0 && autoscaler.is_quiet()
            }
        }
    }

    /// When failed provisioning is retried.
    pub(super) fn next_retry_ns(&self) -> Option<u64> {
        self.backoff.retry_ns().filter(|_| self.lacking(self.want()) > 0)
    }

    /// When the autoscaler decides next; `None` if it can only repeat its last decision.
    pub(super) fn next_decision_ns(&self) -> Option<u64> {
        let autoscaler = self.autoscaler.as_ref()?;
        let least = self.least();
        let at_rest = autoscaler.is_quiet()
            && self.instances.busy() == 0
            && self.waiting.is_empty()
            && autoscaler.desired() <= least
            && self.instances.total() <= least.max(1);
        (!at_rest).then(|| autoscaler.next_decision_ns())
    }
}
