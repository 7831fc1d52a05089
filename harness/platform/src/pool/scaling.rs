//! How many instances are wanted, which of the idle ones are not, and what that leads to.

use super::{Action, InstanceId, Pool, count};

impl Pool {
    /// Goes on to `now_ns`: what was due by then is done before anything else happens.
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

    /// Matches instances with requests, and their number with what is wanted.
    pub(super) fn settle(&mut self, actions: &mut Vec<Action>) {
        while !self.waiting.is_empty() {
            let Some((instance, fresh)) = self.instances.take(self.now_ns) else { break };
            let ticket = self.waiting.pop_front().expect("somebody waits");
            actions.push(Action::Assign { ticket, instance, fresh, waited: true });
        }
        self.expire(actions);
        self.fill(actions);
    }

    /// Whether a request that finds no idle instance may wait.
    pub(super) fn may_wait(&self) -> bool {
        let max = self.config.max_instances;
        let most = if self.autoscaler.is_some() { max.min(1) } else { max };
        let makeable = most.saturating_sub(self.instances.total());
        let coming = u64::from(self.instances.provisioning()) + u64::from(makeable);
        (self.waiting.len() as u64) < coming + u64::from(self.config.queue)
    }

    /// Tells the autoscaler of the first request of an empty pool.
    pub(super) fn wake(&mut self) {
        if let Some(autoscaler) = self.autoscaler.as_mut().filter(|_| self.instances.total() == 0) {
            autoscaler.wake(self.now_ns);
        }
    }

    /// Requests what is lacking: for requests at once, for all else when no earlier failure
    /// is to be waited for.
    pub(super) fn fill(&mut self, actions: &mut Vec<Action>) {
        let want = match self.backoff.is_over(self.now_ns) {
            true => self.want(),
            false => self.demand(),
        };
        for _ in 0..self.lacking(want) {
            let instance = self.instances.request(self.now_ns);
            actions.push(Action::Provision { instance });
        }
    }

    /// Reclaims idle instances whose keep-alive is over and that are not wanted.
    fn expire(&mut self, actions: &mut Vec<Action>) {
        while let Some((instance, at_ns)) = self.next_expiry()
            && at_ns <= self.now_ns
        {
            self.reclaim(instance, actions);
        }
    }

    /// Reclaims what the autoscaler does not want, but for the last instance.
    fn shrink(&mut self, actions: &mut Vec<Action>) {
        while self.instances.total() > self.want().max(1)
            && self.instances.ready() > self.config.min_instances
            && let Some((instance, _)) = self.instances.longest_idle(self.config.prewarmed)
        {
            self.reclaim(instance, actions);
        }
    }

    pub(super) fn reclaim(&mut self, instance: InstanceId, actions: &mut Vec<Action>) {
        self.instances.reclaim(instance, self.now_ns);
        actions.push(Action::Reclaim { instance });
    }

    /// The instance that is reclaimed next by time alone, and when; `None`: all that are
    /// idle are wanted.
    pub(super) fn next_expiry(&self) -> Option<(InstanceId, u64)> {
        if self.draining {
            return self.instances.longest_idle(0).map(|(instance, _)| (instance, 0));
        }
        let idle = self.instances.idle();
        let surplus = match &self.autoscaler {
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
        };
        let idle = self.instances.longest_idle(self.config.prewarmed).filter(|_| surplus);
        idle.map(|(instance, since_ns)| (instance, since_ns.saturating_add(self.keep_alive_ns)))
    }

    /// When what could not be made is tried again.
    pub(super) fn next_retry_ns(&self) -> Option<u64> {
        self.backoff.retry_ns().filter(|_| self.lacking(self.want()) > 0)
    }

    /// When the autoscaler decides next, unless it can only decide what it decided before.
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

    /// Instances that requests need made at once.
    fn demand(&self) -> u32 {
        let waiting = count(self.waiting.len());
        match self.autoscaler {
            _ if self.draining => 0,
            None => self.instances.busy() + waiting,
            Some(_) => waiting.min(1),
        }
    }

    /// Instances that are wanted whatever the autoscaler says.
    fn least(&self) -> u32 {
        if self.draining {
            return 0;
        }
        let used = self.demand().max(self.instances.busy());
        used.saturating_add(self.config.prewarmed).max(self.config.min_instances)
    }

    /// Instances that are wanted in all.
    fn want(&self) -> u32 {
        let decided = self.autoscaler.as_ref().filter(|_| !self.draining);
        self.least().max(decided.map_or(0, |autoscaler| autoscaler.desired()))
    }

    /// How many of `want` instances neither exist nor are on their way, within the maximum.
    fn lacking(&self, want: u32) -> u32 {
        want.min(self.config.max_instances).saturating_sub(self.instances.total())
    }
}
