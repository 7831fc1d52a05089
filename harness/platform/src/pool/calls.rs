//! What the caller reports to a pool. Each call appends the resulting actions.

use lumos_model::pool::PoolEvent;

use super::action::{Action, InstanceId, Rejection, Ticket};
use super::instances::Taken;
use super::state::Pool;

impl Pool {
    /// Requests the minimum and the reserve. Call it once, before all other calls.
    pub(crate) fn start(&mut self, now_ns: u64, actions: &mut Vec<Action>) {
        if let Some(autoscaler) = &mut self.autoscaler {
            autoscaler.start(now_ns);
        }
        self.advance(now_ns, actions);
        self.settle(actions);
    }

    /// A request arrived. It is assigned or rejected at once, or it waits.
    pub(crate) fn arrive(&mut self, ticket: Ticket, now_ns: u64, actions: &mut Vec<Action>) {
        self.advance(now_ns, actions);
        if self.draining {
            actions.push(Action::Reject { ticket, why: Rejection::Draining });
        } else if self.config.max_instances == 0 {
            actions.push(Action::Reject { ticket, why: Rejection::NoInstance });
        } else if let Some(Taken { instance, fresh }) = self.instances.take(self.now_ns) {
            actions.push(Action::Assign { ticket, instance, fresh, waited: false });
            self.fill(actions);
        } else if self.may_wait() {
            self.wake();
            self.waiting.push_back(ticket);
            self.fill(actions);
        } else {
            actions.push(Action::Reject { ticket, why: Rejection::QueueFull });
        }
    }

    /// A request must not be served any more: its client left, or its deadline passed.
    /// Returns whether it was waiting, and removes it from the queue. The search begins with
    /// the oldest request.
    pub(crate) fn cancel(
        &mut self,
        ticket: Ticket,
        now_ns: u64,
        actions: &mut Vec<Action>,
    ) -> bool {
        self.advance(now_ns, actions);
        let index = self.waiting.iter().position(|waiting| *waiting == ticket);
        index.and_then(|index| self.waiting.remove(index)).is_some()
    }

    /// An instance is ready.
    ///
    /// # Panics
    /// If the instance is not being provisioned.
    pub(crate) fn provisioned(
        &mut self,
        instance: InstanceId,
        now_ns: u64,
        actions: &mut Vec<Action>,
    ) {
        self.advance(now_ns, actions);
        self.instances.provisioned(instance, self.now_ns);
        self.backoff.reset();
        self.settle(actions);
    }

    /// An instance could not be made and is gone. The oldest waiting request is rejected.
    ///
    /// # Panics
    /// If the instance is not being provisioned.
    pub(crate) fn provisioning_failed(
        &mut self,
        instance: InstanceId,
        now_ns: u64,
        actions: &mut Vec<Action>,
    ) {
        self.advance(now_ns, actions);
        self.instances.provisioning_failed(instance, self.now_ns);
        self.backoff.failed(self.now_ns);
        if let Some(ticket) = self.waiting.pop_front() {
            actions.push(Action::Reject { ticket, why: Rejection::NoInstance });
        }
        self.settle(actions);
    }

    /// An instance has served. If it is not `alive` it is gone, and the caller frees what is
    /// left of it. An idle instance may be reported dead, too.
    ///
    /// # Panics
    /// If the instance does not exist, is being provisioned, or is idle and reported alive.
    pub(crate) fn served(
        &mut self,
        instance: InstanceId,
        alive: bool,
        now_ns: u64,
        actions: &mut Vec<Action>,
    ) {
        self.advance(now_ns, actions);
        if !alive {
            self.instances.died(instance, self.now_ns);
        } else {
            self.instances.served(instance, self.now_ns);
            if self.keep_alive_ns == 0 {
                self.reclaim(instance, actions);
            }
        }
        self.settle(actions);
    }

    /// Does what is due; see [`next_tick_ns`](Self::next_tick_ns). Every other call does so
    /// too, before its own part.
    pub(crate) fn tick(&mut self, now_ns: u64, actions: &mut Vec<Action>) {
        self.advance(now_ns, actions);
        self.settle(actions);
    }

    /// When [`tick`](Self::tick) must be called unless another call comes first; `None` if
    /// time alone changes nothing.
    pub(crate) fn next_tick_ns(&self) -> Option<u64> {
        if self.draining {
            return None;
        }
        let expiry = self.next_expiry().map(|expiry| expiry.at_ns);
        [expiry, self.next_retry_ns(), self.next_decision_ns()].into_iter().flatten().min()
    }

    /// Stops the pool: rejects all waiting and further requests, reclaims idle instances at
    /// once and every other instance as soon as it has served or is ready.
    pub(crate) fn drain(&mut self, now_ns: u64, actions: &mut Vec<Action>) {
        self.advance(now_ns, actions);
        self.draining = true;
        while let Some(ticket) = self.waiting.pop_front() {
            actions.push(Action::Reject { ticket, why: Rejection::Draining });
        }
        self.settle(actions);
    }

    /// Takes the state changes since the last call, in order; at most
    /// [`EVENT_LIMIT`](super::events::EVENT_LIMIT).
    pub(crate) fn take_events(&mut self) -> Vec<PoolEvent> {
        self.instances.events.take()
    }

    /// Stops recording state changes; none count as lost from now on.
    pub(crate) fn forget_events(&mut self) {
        self.instances.events.disable();
    }

    /// How many state changes were lost since the beginning, because the log was full.
    pub(crate) fn lost_events(&self) -> u64 {
        self.instances.events.lost()
    }
}
