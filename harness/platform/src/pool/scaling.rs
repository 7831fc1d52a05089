//! Brings the number of instances to what is wanted.

use super::action::{Action, InstanceId};
use super::convert::count;
use super::instances::Taken;
use super::state::Pool;

impl Pool {
    /// Advances to `now_ns`. Everything due by then is done before anything else happens.
    pub(super) fn advance(&mut self, now_ns: u64, actions: &mut Vec<Action>) {
        self.now_ns = self.now_ns.max(now_ns);
        let concurrency = self.instances.busy() + count(self.waiting.len());
        while let Some(autoscaler) = &mut self.autoscaler
            && autoscaler.pass(self.now_ns, concurrency)
        {
            autoscaler.decide(self.instances.ready());
            self.shrink(actions);
            self.fill(actions);
        }
        self.expire(actions);
        if self.backoff.retry_ns().is_some_and(|at_ns| at_ns <= self.now_ns) {
            self.fill(actions);
        }
    }

    /// Assigns idle instances to waiting requests, then adjusts the number of instances.
    pub(super) fn settle(&mut self, actions: &mut Vec<Action>) {
        while !self.waiting.is_empty() {
            let Some(Taken { instance, fresh }) = self.instances.take(self.now_ns) else { break };
            let ticket = self.waiting.pop_front().expect("a request waits");
            actions.push(Action::Assign { ticket, instance, fresh, waited: true });
        }
        self.expire(actions);
        self.fill(actions);
    }

    /// Reports the first request of an empty pool to the autoscaler.
    pub(super) fn wake(&mut self) {
        if let Some(autoscaler) = self.autoscaler.as_mut().filter(|_| self.instances.total() == 0) {
            autoscaler.wake(self.now_ns);
        }
    }

    /// Provisions the instances that are lacking. During a back-off only requests have
    /// instances provisioned.
    pub(super) fn fill(&mut self, actions: &mut Vec<Action>) {
        let want = match self.backoff.is_over(self.now_ns) {
            true => self.want(),
            false => self.demand(),
        };
        for _ in 0..self.lacking(want) {
            let instance = self.instances.provision(self.now_ns);
            actions.push(Action::Provision { instance });
        }
    }

    /// Reclaims unwanted instances whose keep-alive is over.
    fn expire(&mut self, actions: &mut Vec<Action>) {
        while let Some(expiry) = self.next_expiry()
            && expiry.at_ns <= self.now_ns
        {
            self.reclaim(expiry.instance, actions);
        }
    }

    /// Reclaims what the autoscaler does not want, except the last instance.
    fn shrink(&mut self, actions: &mut Vec<Action>) {
        while self.instances.total() > self.want().max(1)
            && self.instances.ready() > self.config.min_instances
            && let Some(idle) = self.instances.longest_idle(self.config.prewarmed)
        {
            self.reclaim(idle.id, actions);
        }
    }

    pub(super) fn reclaim(&mut self, instance: InstanceId, actions: &mut Vec<Action>) {
        self.instances.reclaim(instance, self.now_ns);
        actions.push(Action::Reclaim { instance });
    }
}
