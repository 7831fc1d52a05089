//! What an executor keeps under its lock: the pool, its instances, and the requests that have
//! no answer yet.
//!
//! Every method takes one decision and returns its [`Effects`]. None of them waits.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use lumos_model::cell::Start;
use lumos_model::counters::Counters;
use lumos_os::clock::monotonic_ns;
use lumos_runtime::error::InvokeError;
use nix::unistd::Pid;
use rustc_hash::FxHashMap;

use super::answer;
use super::effects::{Assignment, Callback, Effects, Turn};
use super::pooled_instance::PooledInstance;
use super::provider::{PoolInstance, Provisioning};
use super::request::{Cause, Request};
use crate::pool::{Action, Pool, Rejection, Ticket};

/// The time of an event that is not due.
pub(super) const NEVER: u64 = u64::MAX;

pub(super) struct State<I> {
    pub pool: Pool,
    /// Scratch space of one decision.
    actions: Vec<Action>,
    next_ticket: Ticket,
    /// Instances that are ready or idle.
    resting: FxHashMap<u32, Box<PooledInstance<I>>>,
    /// Requests that wait for an instance.
    waiting: FxHashMap<Ticket, Unanswered<Destination<I>>>,
    /// When the waiting requests are given up.
    deadlines: BTreeSet<(u64, Ticket)>,
    /// Requests that run on worker threads.
    running: FxHashMap<Ticket, Unanswered<Callback>>,
    /// Processes of busy instances.
    busy_processes: FxHashMap<u32, Pid>,
    /// Instances that are being created or freed.
    in_transition: u32,
    counters: Vec<Counters>,
    last_provisioning_error: String,
    /// When the timer runs next.
    timer_ns: u64,
    timeout_ns: u64,
    /// The start kind of a request that waited for an instance to be created.
    cold: Start,
}

/// A request without an answer, and where its answer goes.
struct Unanswered<D> {
    request: Request,
    destination: D,
}

/// Where the turn of a waiting request goes.
enum Destination<I> {
    /// The arriving thread, which has not begun to wait and serves the request itself.
    Arriving,
    /// A blocked thread, which serves the request itself.
    Blocked(SyncSender<Turn<I>>),
    /// A worker thread, which passes the answer to the callback.
    Worker(Callback),
}

/// When the arriving thread gets the turn of its request.
pub(super) enum Arrival<I> {
    Now(Turn<I>),
    /// The request waits in the queue.
    Later {
        ticket: Ticket,
        turn: Receiver<Turn<I>>,
    },
}

impl<I: PoolInstance> State<I> {
    pub fn new(pool: Pool, timeout_ns: u64, cold: Start) -> Self {
        Self {
            pool,
            actions: Vec::new(),
            next_ticket: 0,
            resting: FxHashMap::default(),
            waiting: FxHashMap::default(),
            deadlines: BTreeSet::new(),
            running: FxHashMap::default(),
            busy_processes: FxHashMap::default(),
            in_transition: 0,
            counters: Vec::new(),
            last_provisioning_error: String::new(),
            timer_ns: NEVER,
            timeout_ns,
            cold,
        }
    }

    /// Creates the instances of the minimum and the reserve.
    pub fn start(&mut self) -> Effects<I> {
        self.pool.start(monotonic_ns(), &mut self.actions);
        self.effects()
    }

    /// Accepts a request that the arriving thread serves itself.
    pub fn arrive_here(&mut self, request: Request) -> (Arrival<I>, Effects<I>) {
        let (ticket, mut effects) = self.arrive(request, Destination::Arriving);
        let arrival = match effects.turn.take() {
            Some(turn) => Arrival::Now(turn),
            None => {
                let (sender, turn) = sync_channel(1);
                let waiting = self.waiting.get_mut(&ticket).expect("it has had no turn yet");
                waiting.destination = Destination::Blocked(sender);
                Arrival::Later { ticket, turn }
            }
        };
        (arrival, effects)
    }

    /// Accepts a request that a worker thread serves.
    pub fn arrive_for_worker(
        &mut self,
        request: Request,
        callback: Callback,
    ) -> (Ticket, Effects<I>) {
        self.arrive(request, Destination::Worker(callback))
    }

    fn arrive(&mut self, request: Request, destination: Destination<I>) -> (Ticket, Effects<I>) {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let deadline_ns = request.intended_ns.saturating_add(self.timeout_ns);
        self.waiting.insert(ticket, Unanswered { request, destination });
        self.pool.arrive(ticket, monotonic_ns(), &mut self.actions);
        let mut effects = self.effects();
        if self.waiting.contains_key(&ticket) {
            self.deadlines.insert((deadline_ns, ticket));
            effects.wake_timer |= self.arm_timer();
        }
        (ticket, effects)
    }

    /// Takes a waiting request back: it gets no turn.
    pub fn withdraw(&mut self, ticket: Ticket, effects: &mut Effects<I>) {
        self.pool.cancel(ticket, monotonic_ns(), &mut self.actions);
        self.take_waiting(ticket);
        self.follow(effects);
    }

    /// The client of a request that a worker thread serves has left.
    pub fn leave(&mut self, ticket: Ticket) -> Effects<I> {
        let mut effects = Effects::default();
        self.running.remove(&ticket);
        if self.waiting.contains_key(&ticket) {
            self.withdraw(ticket, &mut effects);
        }
        effects
    }

    /// The callback of a request that a worker thread has served; `None`: its client left or
    /// it was answered by [`stop`](Self::stop).
    pub fn take_callback(&mut self, ticket: Ticket) -> Option<Callback> {
        self.running.remove(&ticket).map(|running| running.destination)
    }

    /// An instance was created, or could not be.
    pub fn provisioned(
        &mut self,
        number: u32,
        result: Result<(I, Provisioning), InvokeError>,
    ) -> Effects<I> {
        self.in_transition -= 1;
        match result {
            Ok((instance, provisioning)) => {
                let instance = PooledInstance::new(instance, provisioning);
                self.resting.insert(number, Box::new(instance));
                self.pool.provisioned(number, monotonic_ns(), &mut self.actions);
            }
            Err(error) => {
                self.last_provisioning_error = format!("no instance could be made: {error}");
                self.pool.provisioning_failed(number, monotonic_ns(), &mut self.actions);
            }
        }
        self.effects()
    }

    /// An instance has served a request and is idle again.
    pub fn served(&mut self, number: u32, instance: Box<PooledInstance<I>>) -> Effects<I> {
        self.busy_processes.remove(&number);
        self.resting.insert(number, instance);
        self.pool.served(number, true, monotonic_ns(), &mut self.actions);
        self.effects()
    }

    /// An instance has died while it served a request.
    pub fn died(&mut self, number: u32, instance: Box<PooledInstance<I>>) -> Effects<I> {
        self.busy_processes.remove(&number);
        self.in_transition += 1;
        self.pool.served(number, false, monotonic_ns(), &mut self.actions);
        let mut effects = self.effects();
        effects.free.push(instance);
        effects
    }

    /// An instance was freed.
    pub fn freed(&mut self, counters: Option<Counters>) {
        self.counters.extend(counters);
        self.in_transition -= 1;
    }

    /// Handles all events that are due. Returns the time of the next one.
    pub fn tick(&mut self) -> (Effects<I>, u64) {
        let now_ns = monotonic_ns();
        let mut effects = Effects::default();
        while let Some(&(deadline_ns, ticket)) = self.deadlines.first()
            && deadline_ns <= now_ns
        {
            self.pool.cancel(ticket, now_ns, &mut self.actions);
            let message = "the deadline passed in the queue".to_owned();
            self.refuse(&mut effects, ticket, Cause::DeadlinePassed, message);
        }
        self.pool.tick(now_ns, &mut self.actions);
        self.timer_ns = NEVER;
        self.follow(&mut effects);
        (effects, self.timer_ns)
    }

    /// Accepts no further requests; ends instances as they become idle.
    pub fn drain(&mut self) -> Effects<I> {
        self.pool.drain(monotonic_ns(), &mut self.actions);
        self.effects()
    }

    /// Answers all requests that run on worker threads, without waiting for their guests.
    pub fn abandon_running(&mut self, effects: &mut Effects<I>) {
        for (_, Unanswered { request, destination: callback }) in self.running.drain() {
            let message = "stopped, since the function is being shut down".to_owned();
            let answer = answer::refused(&request, Cause::Draining, message, monotonic_ns());
            effects.answers.push((callback, answer));
        }
    }

    /// Processes of busy instances.
    pub fn busy_processes(&self) -> impl Iterator<Item = Pid> {
        self.busy_processes.values().copied()
    }

    /// Whether a request would find an idle instance.
    pub fn has_resting(&self) -> bool {
        !self.resting.is_empty()
    }

    /// Whether requests wait for an instance.
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the pool is drained and nothing is left of its instances and requests.
    pub fn is_empty(&self) -> bool {
        self.pool.is_drained() && self.in_transition == 0 && self.running.is_empty()
    }

    /// Drops the events and counters that were kept, and keeps no more events.
    pub fn forget_telemetry(&mut self) {
        self.counters = Vec::new();
        self.pool.forget_events();
    }

    /// Counters of instances that ended since the last call.
    pub fn take_counters(&mut self) -> Vec<Counters> {
        std::mem::take(&mut self.counters)
    }

    fn effects(&mut self) -> Effects<I> {
        let mut effects = Effects::default();
        self.follow(&mut effects);
        effects
    }

    /// Applies the pool's decisions to the state, and adds the rest of the work to `effects`.
    fn follow(&mut self, effects: &mut Effects<I>) {
        let mut actions = std::mem::take(&mut self.actions);
        for action in actions.drain(..) {
            match action {
                Action::Assign { ticket, instance, fresh, waited } => {
                    let start = if fresh && waited { self.cold } else { Start::Warm };
                    self.assign(effects, ticket, instance, start);
                }
                Action::Reject { ticket, why } => {
                    let (cause, message) = self.explain(why);
                    self.refuse(effects, ticket, cause, message);
                }
                Action::Provision { instance } => {
                    self.in_transition += 1;
                    effects.provision.push(instance);
                }
                Action::Reclaim { instance } => {
                    self.in_transition += 1;
                    effects.free.extend(self.resting.remove(&instance));
                }
            }
        }
        self.actions = actions;
        effects.wake_timer |= self.arm_timer();
    }

    fn explain(&self, why: Rejection) -> (Cause, String) {
        match why {
            Rejection::QueueFull => {
                (Cause::QueueFull, "all instances are busy and the queue is full".to_owned())
            }
            Rejection::Draining => {
                (Cause::Draining, "the function takes no more requests".to_owned())
            }
            Rejection::NoInstance => (Cause::NoInstance, self.last_provisioning_error.clone()),
        }
    }

    /// Gives an instance to a request.
    fn assign(&mut self, effects: &mut Effects<I>, ticket: Ticket, number: u32, start: Start) {
        let instance = self.resting.remove(&number).expect("the pool assigns resting instances");
        let Unanswered { request, destination } = self.take_waiting(ticket);
        if let Some(pid) = instance.pid() {
            self.busy_processes.insert(number, pid);
        }
        let assignment = Assignment { ticket, number, instance, request, start };
        match destination {
            Destination::Arriving => effects.turn = Some(Ok(assignment)),
            Destination::Blocked(thread) => effects.turns.push((thread, Ok(assignment))),
            Destination::Worker(callback) => {
                let request = assignment.request.clone();
                self.running.insert(ticket, Unanswered { request, destination: callback });
                effects.assignments.push(assignment);
            }
        }
    }

    /// Answers a waiting request that is not served.
    fn refuse(&mut self, effects: &mut Effects<I>, ticket: Ticket, cause: Cause, message: String) {
        let Unanswered { request, destination } = self.take_waiting(ticket);
        let now_ns = monotonic_ns();
        let late = now_ns >= request.intended_ns.saturating_add(self.timeout_ns);
        // An instance that failed too late is the reason for a timeout, not the outcome.
        let cause = if late && cause == Cause::NoInstance { Cause::DeadlinePassed } else { cause };
        let answer = answer::refused(&request, cause, message, now_ns);
        match destination {
            Destination::Arriving => effects.turn = Some(Err(Box::new(answer))),
            Destination::Blocked(thread) => effects.turns.push((thread, Err(Box::new(answer)))),
            Destination::Worker(callback) => effects.answers.push((callback, answer)),
        }
    }

    fn take_waiting(&mut self, ticket: Ticket) -> Unanswered<Destination<I>> {
        let waiting = self.waiting.remove(&ticket).expect("a request waits until its turn");
        if !self.deadlines.is_empty() {
            let deadline_ns = waiting.request.intended_ns.saturating_add(self.timeout_ns);
            self.deadlines.remove(&(deadline_ns, ticket));
        }
        waiting
    }

    /// Sets the timer to the next event. Returns whether it must be woken for that.
    fn arm_timer(&mut self) -> bool {
        let tick_ns = self.pool.next_tick_ns().unwrap_or(NEVER);
        let deadline_ns = self.deadlines.first().map_or(NEVER, |(deadline_ns, _)| *deadline_ns);
        let next_ns = tick_ns.min(deadline_ns);
        let earlier = next_ns < self.timer_ns;
        if earlier {
            self.timer_ns = next_ns;
        }
        earlier
    }
}
