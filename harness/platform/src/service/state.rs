//! What an executor keeps under its lock, and what is left to do when it is released.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, SyncSender};

use lumos_model::cell::Start;
use lumos_model::counters::Counters;
use nix::unistd::Pid;
use rustc_hash::FxHashMap;

use super::instance::Slot;
use super::{Answer, Request};
use crate::pool::{Action, Pool, Ticket};

/// At no time.
pub(super) const NEVER: u64 = u64::MAX;

pub(super) struct State<I> {
    pub pool: Pool,
    /// Scratch space of one decision.
    pub actions: Vec<Action>,
    pub tickets: Ticket,
    /// Instances that are ready or idle.
    pub resting: FxHashMap<u32, Box<Slot<I>>>,
    /// Requests that wait for an instance.
    pub waiting: FxHashMap<Ticket, Waiting<I>>,
    /// When those are to be given up.
    pub deadlines: BTreeSet<(u64, Ticket)>,
    /// Who gets the answers of requests that run on threads of our own.
    pub running: FxHashMap<Ticket, Running>,
    /// Processes that serve.
    pub processes: FxHashMap<u32, Pid>,
    /// Instances that are being made or freed.
    pub moving: u32,
    pub counters: Vec<Counters>,
    pub why_no_instance: String,
    /// When the timer looks next.
    pub armed_ns: u64,
}

pub(super) type Tell = Box<dyn FnOnce(Answer) + Send>;

pub(super) struct Running {
    pub request: Request,
    pub tell: Tell,
}

pub(super) struct Waiting<I> {
    pub request: Request,
    pub reply: Reply<I>,
}

/// Who gets an answer.
pub(super) enum Reply<I> {
    /// Whoever this tells; the request runs on a thread of our own.
    Told(Tell),
    /// The calling thread, which serves the request by itself.
    Caller,
    /// A thread that waits to serve the request by itself.
    Thread(SyncSender<Handed<I>>),
}

/// What a thread gets for its request.
pub(super) enum Handed<I> {
    Job(Job<I>),
    Answer(Box<Answer>),
}

/// A request with the instance that serves it.
pub(super) struct Job<I> {
    pub ticket: Ticket,
    pub instance: u32,
    pub slot: Box<Slot<I>>,
    pub request: Request,
    pub start: Start,
}

/// A request that the pool was told of.
pub(super) struct Arrived<I> {
    pub ticket: Ticket,
    pub work: Work<I>,
    /// For a caller whose request has neither an instance nor an answer yet.
    pub waits: Option<Receiver<Handed<I>>>,
}

/// What is left to do when the lock is released.
pub(super) struct Work<I> {
    pub here: Option<Handed<I>>,
    pub handed: Vec<(SyncSender<Handed<I>>, Handed<I>)>,
    pub told: Vec<(Tell, Answer)>,
    pub jobs: Vec<Job<I>>,
    pub make: Vec<u32>,
    pub free: Vec<Box<Slot<I>>>,
    pub wake_timer: bool,
}

impl<I> Work<I> {
    pub fn of(job: Job<I>) -> Self {
        Self { jobs: vec![job], ..Self::none() }
    }

    pub const fn none() -> Self {
        Self {
            here: None,
            handed: Vec::new(),
            told: Vec::new(),
            jobs: Vec::new(),
            make: Vec::new(),
            free: Vec::new(),
            wake_timer: false,
        }
    }
}

impl<I> State<I> {
    pub fn new(pool: Pool) -> Self {
        Self {
            pool,
            actions: Vec::new(),
            tickets: 0,
            resting: FxHashMap::default(),
            waiting: FxHashMap::default(),
            deadlines: BTreeSet::new(),
            running: FxHashMap::default(),
            processes: FxHashMap::default(),
            moving: 0,
            counters: Vec::new(),
            why_no_instance: String::new(),
            armed_ns: NEVER,
        }
    }

    pub fn take_waiting(&mut self, ticket: Ticket, timeout_ns: u64) -> Waiting<I> {
        let waiting = self.waiting.remove(&ticket).expect("a request waits until it is taken");
        if !self.deadlines.is_empty() {
            let deadline_ns = waiting.request.intended_ns.saturating_add(timeout_ns);
            self.deadlines.remove(&(deadline_ns, ticket));
        }
        waiting
    }

    /// Whether the timer must be woken, since something is due before it looks.
    pub fn arm(&mut self) -> bool {
        let tick_ns = self.pool.next_tick_ns().unwrap_or(NEVER);
        let deadline_ns = self.deadlines.first().map_or(NEVER, |(deadline_ns, _)| *deadline_ns);
        let next_ns = tick_ns.min(deadline_ns);
        let earlier = next_ns < self.armed_ns;
        if earlier {
            self.armed_ns = next_ns;
        }
        earlier
    }
}
