//! A model of a pool that sees only its calls and actions, and checks each action.

use std::collections::BTreeMap;

use lumos_model::pool::InstanceState::*;

use super::*;

/// An instance as the observer knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Provisioning,
    Idle { since_ns: u64 },
    Busy,
    Gone,
}

/// The end of a request's wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Assigned,
    Rejected,
    Cancelled,
}

pub(super) struct Observer {
    config: PoolConfig,
    pub(super) pool: Pool,
    pub(super) now_ns: u64,
    instances: BTreeMap<InstanceId, Known>,
    /// Instances that have served, the most recently used last.
    used: Vec<InstanceId>,
    waiting: Vec<Ticket>,
    fates: BTreeMap<Ticket, Fate>,
    pub(super) tickets: Ticket,
    /// Whether the last provisioning that ended has failed.
    failing: bool,
    draining: bool,
    made: u64,
    reclaimed: u64,
    failed: u64,
    states: BTreeMap<InstanceId, (u64, InstanceState)>,
}

impl Observer {
    pub(super) fn new(config: PoolConfig) -> Self {
        let mut observer = Self {
            pool: Pool::new(config.clone()),
            config,
            now_ns: S,
            instances: BTreeMap::new(),
            used: Vec::new(),
            waiting: Vec::new(),
            fates: BTreeMap::new(),
            tickets: 0,
            failing: false,
            draining: false,
            made: 0,
            reclaimed: 0,
            failed: 0,
            states: BTreeMap::new(),
        };
        observer.call(None, |pool, now_ns, actions| pool.start(now_ns, actions));
        observer
    }

    fn count(&self, of: impl Fn(&Known) -> bool) -> u32 {
        self.instances.values().filter(|known| of(known)).count() as u32
    }

    fn provisioning_count(&self) -> u32 {
        self.count(|known| *known == Known::Provisioning)
    }

    fn idle(&self) -> u32 {
        self.count(|known| matches!(known, Known::Idle { .. }))
    }

    fn busy(&self) -> u32 {
        self.count(|known| *known == Known::Busy)
    }

    fn total(&self) -> u32 {
        self.count(|known| *known != Known::Gone)
    }

    fn immediate(&self) -> bool {
        self.config.scaling == Scaling::Immediate
    }

    /// The number of instances that the rules want of a pool with immediate scaling.
    fn want(&self) -> u32 {
        let requests = self.busy() + self.waiting.len() as u32;
        (requests + self.config.prewarmed)
            .max(self.config.min_instances)
            .min(self.config.max_instances)
    }

    /// One of the instances in the state `known`.
    pub(super) fn choose(&self, choice: usize, known: Known) -> Option<InstanceId> {
        let all: Vec<_> =
            self.instances.iter().filter(|(_, is)| **is == known).map(|(i, _)| *i).collect();
        (!all.is_empty()).then(|| all[choice % all.len()])
    }

    /// Calls the pool and checks its actions; `arriving` is the request that arrives, if any.
    fn call(
        &mut self,
        arriving: Option<Ticket>,
        call: impl FnOnce(&mut Pool, u64, &mut Vec<Action>),
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        call(&mut self.pool, self.now_ns, &mut actions);
        for action in &actions {
            self.check_action(*action, arriving);
        }
        if let Some(ticket) = arriving.filter(|ticket| !self.fates.contains_key(ticket)) {
            assert!(!self.waiting.contains(&ticket));
            self.waiting.push(ticket);
        }
        let requested = actions.iter().any(|action| matches!(action, Action::Provision { .. }));
        self.check_state(requested);
        self.check_events();
        actions
    }

    fn check_action(&mut self, action: Action, arriving: Option<Ticket>) {
        match action {
            Action::Provision { instance } => {
                let before = self.instances.insert(instance, Known::Provisioning);
                assert_eq!(before, None, "an instance number is used once");
                assert!(self.total() <= self.config.max_instances);
                assert!(!self.draining);
            }
            Action::Assign { ticket, instance, fresh, waited } => {
                match waited {
                    true => assert_eq!(self.waiting.remove(0), ticket, "first come, first served"),
                    false => {
                        assert_eq!(arriving, Some(ticket));
                        assert!(self.waiting.is_empty(), "no request is overtaken");
                    }
                }
                assert_eq!(self.fates.insert(ticket, Fate::Assigned), None);
                assert!(matches!(self.instances[&instance], Known::Idle { .. }));
                assert_eq!(fresh, !self.used.contains(&instance));
                let is_idle = |i: &&InstanceId| matches!(self.instances[*i], Known::Idle { .. });
                let latest = self.used.iter().rev().find(is_idle).copied();
                assert!(latest.is_none_or(|latest| latest == instance), "last used, first taken");
                self.instances.insert(instance, Known::Busy);
            }
            Action::Reclaim { instance } => {
                self.check_reclaim(instance);
                self.instances.insert(instance, Known::Gone);
                self.reclaimed += 1;
            }
            Action::Reject { ticket, why } => {
                self.check_reject(ticket, why, arriving);
                if arriving != Some(ticket) {
                    assert_eq!(self.waiting.remove(0), ticket, "the oldest is rejected");
                }
                assert_eq!(self.fates.insert(ticket, Fate::Rejected), None);
            }
        }
    }

    fn check_reclaim(&self, instance: InstanceId) {
        let Known::Idle { since_ns } = self.instances[&instance] else {
            panic!("{instance} is reclaimed but not idle");
        };
        let keep_alive_ns = self.config.keep_alive.0.as_nanos() as u64;
        let served_once = keep_alive_ns == 0 && self.used.contains(&instance);
        if self.draining || served_once {
            return;
        }
        let ready = self.idle() + self.busy();
        assert!(ready > self.config.min_instances, "the minimum is kept");
        let last = self.total() == 1;
        if self.immediate() || last {
            assert!(self.now_ns - since_ns >= keep_alive_ns, "too early");
        }
        assert!(self.idle() + self.provisioning_count() > self.config.prewarmed);
    }

    fn check_reject(&self, ticket: Ticket, why: Rejection, arriving: Option<Ticket>) {
        match why {
            Rejection::QueueFull => {
                assert_eq!(arriving, Some(ticket));
                assert_eq!(self.idle(), 0);
                let provisioning = self.provisioning_count() as usize;
                let queue = self.config.queue as usize;
                assert!(self.waiting.len() >= provisioning + queue, "there was room");
                if self.immediate() {
                    assert_eq!(self.total(), self.config.max_instances);
                }
            }
            Rejection::Draining => assert!(self.draining),
            Rejection::NoInstance => assert!(self.failing || self.config.max_instances == 0),
        }
    }

    fn check_state(&self, requested: bool) {
        let standing = self.pool.standing();
        assert_eq!(
            (standing.provisioning, standing.idle, standing.busy, standing.queued as usize),
            (self.provisioning_count(), self.idle(), self.busy(), self.waiting.len())
        );
        assert_eq!(
            (standing.made, standing.reclaimed, standing.failed),
            (self.made, self.reclaimed, self.failed)
        );
        assert!(
            self.idle() == 0 || self.waiting.is_empty(),
            "no request waits while an instance is idle"
        );
        let beyond = self.waiting.len().saturating_sub(self.provisioning_count() as usize);
        assert!(beyond <= self.config.queue as usize, "{beyond} requests wait");
        let next_ns = self.pool.next_tick_ns();
        assert!(next_ns.is_none_or(|next_ns| next_ns > self.now_ns), "a due tick was not done");
        if self.draining {
            assert_eq!((self.idle(), self.waiting.len(), next_ns), (0, 0, None));
            return;
        }
        let min = self.config.min_instances.min(self.config.max_instances);
        if !self.failing {
            assert!(self.total() >= min);
            if self.immediate() {
                assert!(self.total() >= self.want(), "{} of {}", self.total(), self.want());
            }
        }
        if self.immediate() {
            let requests = self.busy() + self.waiting.len() as u32;
            assert!(self.total() >= requests.min(self.config.max_instances));
            assert!(
                !requested || self.total() <= self.want(),
                "an instance was requested without need"
            );
        } else if !self.waiting.is_empty() {
            assert!(self.total() >= 1);
        }
    }

    /// Takes the events: each must be a legal transition, and the last one of an instance must
    /// agree with its state.
    fn check_events(&mut self) {
        for event in self.pool.take_events() {
            let before = self.states.insert(event.instance, (event.at_ns, event.state));
            let legal = match (before.map(|(_, state)| state), event.state) {
                (None, Requested) => true,
                (Some(before), after) => matches!(
                    (before, after),
                    (Requested, Provisioning)
                        | (Provisioning, Ready | Failed)
                        | (Ready, Busy | Reclaimed | Failed)
                        | (Busy, Idle | Failed)
                        | (Idle, Busy | Reclaimed | Failed)
                ),
                (None, _) => false,
            };
            assert!(legal, "{before:?} to {event:?}");
            assert!(event.at_ns == self.now_ns, "{event:?} at {}", self.now_ns);
        }
        assert_eq!(self.pool.lost_events(), 0);
        for (instance, known) in &self.instances {
            let (at_ns, state) = self.states[instance];
            let expected = match state {
                Requested | Provisioning => Known::Provisioning,
                Ready | Idle => Known::Idle { since_ns: at_ns },
                Busy => Known::Busy,
                Reclaimed | Failed => Known::Gone,
            };
            assert_eq!(expected, *known, "{instance}");
        }
    }

    pub(super) fn arrive(&mut self) {
        let ticket = self.tickets;
        self.tickets += 1;
        self.call(Some(ticket), |pool, now_ns, actions| pool.arrive(ticket, now_ns, actions));
    }

    /// Lets the pool do what is due, so that the next call does only its own part.
    pub(super) fn catch_up(&mut self) -> Vec<Action> {
        self.call(None, |pool, now_ns, actions| pool.tick(now_ns, actions))
    }

    pub(super) fn cancel(&mut self, ticket: Ticket) {
        self.catch_up();
        let waits = self.waiting.contains(&ticket);
        if waits {
            self.waiting.retain(|waiting| *waiting != ticket);
            assert_eq!(self.fates.insert(ticket, Fate::Cancelled), None);
        }
        let mut cancelled = false;
        self.call(None, |pool, now_ns, actions| cancelled = pool.cancel(ticket, now_ns, actions));
        assert_eq!(cancelled, waits);
    }

    pub(super) fn provisioned(&mut self, instance: InstanceId) {
        self.catch_up();
        self.instances.insert(instance, Known::Idle { since_ns: self.now_ns });
        self.failing = false;
        self.made += 1;
        self.call(None, |pool, now_ns, actions| pool.provisioned(instance, now_ns, actions));
    }

    pub(super) fn provisioning_failed(&mut self, instance: InstanceId) {
        self.catch_up();
        self.instances.insert(instance, Known::Gone);
        self.failing = true;
        self.failed += 1;
        self.call(None, |pool, now_ns, actions| {
            pool.provisioning_failed(instance, now_ns, actions)
        });
    }

    pub(super) fn served(&mut self, instance: InstanceId) {
        self.catch_up();
        self.instances.insert(instance, Known::Idle { since_ns: self.now_ns });
        self.used.retain(|used| *used != instance);
        self.used.push(instance);
        self.call(None, |pool, now_ns, actions| pool.served(instance, true, now_ns, actions));
    }

    pub(super) fn died(&mut self, instance: InstanceId) {
        self.catch_up();
        self.instances.insert(instance, Known::Gone);
        self.failed += 1;
        self.call(None, |pool, now_ns, actions| pool.served(instance, false, now_ns, actions));
    }

    /// Checks that nothing happens before the next tick, or ever if there is none.
    pub(super) fn tick(&mut self) {
        let due_ns = self.pool.next_tick_ns();
        self.now_ns = self.now_ns.max(due_ns.map_or(self.now_ns + 1000 * S, |due_ns| due_ns - 1));
        if due_ns.is_none_or(|due_ns| self.now_ns < due_ns) {
            assert_eq!(self.catch_up(), []);
        }
        if let Some(due_ns) = due_ns {
            self.now_ns = self.now_ns.max(due_ns);
            let actions = self.catch_up();
            assert!(!self.immediate() || !actions.is_empty(), "the tick had nothing to do");
        }
    }

    /// Drains the pool and ends all running work.
    pub(super) fn end(mut self) {
        self.catch_up();
        self.draining = true;
        self.call(None, |pool, now_ns, actions| pool.drain(now_ns, actions));
        self.arrive();
        for turn in 0.. {
            self.now_ns += MS;
            assert_eq!(self.pool.is_drained(), self.total() == 0);
            match (self.choose(turn, Known::Busy), self.choose(turn, Known::Provisioning)) {
                (Some(instance), _) if turn % 3 == 0 => self.died(instance),
                (Some(instance), _) => self.served(instance),
                (None, Some(instance)) if turn % 3 == 0 => self.provisioning_failed(instance),
                (None, Some(instance)) => self.provisioned(instance),
                (None, None) => break,
            }
        }
        assert!(self.pool.is_drained());
        assert_eq!(self.fates.len() as u64, self.tickets, "each request has one fate");
        assert!(self.states.values().all(|(_, state)| matches!(state, Reclaimed | Failed)));
    }
}
