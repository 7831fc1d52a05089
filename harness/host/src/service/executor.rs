//! Carries out what a [`Pool`] decides: makes instances, hands requests to them, ends them.
//!
//! The pool's decisions are taken under one lock, which is held for some hundred
//! nanoseconds and never while anything waits. What takes longer is done after it, on the
//! calling thread or on the blocking threads of a tokio runtime, which must never end: an
//! instance's process dies with the thread that made it (`PR_SET_PDEATHSIG`).

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use lumos_model::cell::Start;
use lumos_model::pool::PoolEvent;
use lumos_model::protocol::Pooled;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use super::answer;
use super::instance::{Factory, Home, Slot};
use super::{Answer, Cause, Pending, Request, Service, Standing};
use crate::cgroup::Counters;
use crate::clock::monotonic_ns;
use crate::error::HostError;
use crate::pool::{Action, Pool, Rejection, Ticket};
use crate::runtime::Runtime;

/// What a function may have taken in the mean of late to be served on a thread that others wait for.
const SHORT_NS: u64 = 200_000;
/// The weight of the last invocation in what is expected of the next is one part in so many.
const FORGET: u64 = 16;
/// At no time.
const NEVER: u64 = u64::MAX;

/// A function with a pool of instances.
pub struct Executor<R: Runtime> {
    name: String,
    factory: Factory<R>,
    timeout_ns: u64,
    state: Mutex<State<R::Instance>>,
    /// How long an invocation is expected to take: the mean of late.
    expected_ns: AtomicU64,
    timer: Arc<Notify>,
    /// Told when an instance was made or freed, or a request was answered.
    moved: Notify,
    threads: Handle,
    this: Weak<Self>,
}

struct State<I> {
    pool: Pool,
    /// Scratch space of one decision.
    actions: Vec<Action>,
    tickets: Ticket,
    /// Instances that are ready or idle.
    resting: HashMap<u32, Slot<I>>,
    /// Requests that wait for an instance.
    waiting: HashMap<Ticket, Waiting<I>>,
    /// When those are to be given up.
    deadlines: BTreeSet<(u64, Ticket)>,
    /// Who gets the answers of requests that run on threads of our own.
    running: HashMap<Ticket, Running>,
    /// Processes that serve.
    processes: HashMap<u32, Pid>,
    /// Instances that are being made or freed.
    moving: u32,
    counters: Vec<Counters>,
    why_no_instance: String,
    /// When the timer looks next.
    armed_ns: u64,
}

type Tell = Box<dyn FnOnce(Answer) + Send>;

struct Running {
    request: Request,
    tell: Tell,
}

struct Waiting<I> {
    request: Request,
    reply: Reply<I>,
}

/// Who gets an answer.
enum Reply<I> {
    /// Whoever this tells; the request runs on a thread of our own.
    Told(Tell),
    /// The calling thread, which serves the request by itself.
    Caller,
    /// A thread that waits to serve the request by itself.
    Thread(SyncSender<Handed<I>>),
}

/// What a thread gets for its request.
enum Handed<I> {
    Job(Job<I>),
    Answer(Answer),
}

/// A request with the instance that serves it.
struct Job<I> {
    ticket: Ticket,
    instance: u32,
    slot: Slot<I>,
    request: Request,
    start: Start,
}

/// What is left to do when the lock is released.
struct Work<I> {
    here: Option<Handed<I>>,
    handed: Vec<(SyncSender<Handed<I>>, Handed<I>)>,
    told: Vec<(Tell, Answer)>,
    jobs: Vec<Job<I>>,
    make: Vec<u32>,
    free: Vec<Slot<I>>,
    wake_timer: bool,
}

impl<I> Work<I> {
    const fn none() -> Self {
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

impl<R: Runtime> Executor<R> {
    /// Makes the pool, and the instances that it has from the beginning, on `threads`: a
    /// runtime whose blocking threads do not end, and are more than the pool has instances.
    ///
    /// # Errors
    /// When the artifact cannot be loaded or no instance can be made of it.
    pub fn start(
        runtime: Arc<R>,
        function: &Pooled,
        home: Home,
        threads: Handle,
    ) -> Result<Arc<Self>, HostError> {
        let factory = Factory::new(runtime, function, home)?;
        let executor = Arc::new_cyclic(|this| Self {
            name: function.name.clone(),
            factory,
            timeout_ns: function.prepare.limits.timeout.0.as_nanos() as u64,
            state: Mutex::new(State::new(Pool::new(function.pool.clone()))),
            expected_ns: AtomicU64::new(NEVER),
            timer: Arc::default(),
            moved: Notify::new(),
            threads,
            this: this.clone(),
        });
        executor.threads.spawn(keep_time(executor.this.clone(), executor.timer.clone()));
        let work = executor.decide(|pool, now_ns, actions| pool.start(now_ns, actions));
        executor.carry_out(work);
        Ok(executor)
    }

    /// Serves `request` on the calling thread, which waits for an instance if need be.
    pub fn serve(&self, request: Request) -> Answer {
        let (_, mut work, waits) = self.arrive(&mut self.lock(), request, Reply::Caller);
        let here = work.here.take();
        self.carry_out(work);
        let handed = match (here, waits) {
            (Some(handed), _) => handed,
            (None, Some(waits)) => waits.recv().expect("who waits is answered"),
            (None, None) => unreachable!("a caller that is not answered waits"),
        };
        self.serve_handed(handed)
    }

    /// Serves `request` on another thread and tells what came of it.
    pub fn dispatch(&self, request: Request, tell: impl FnOnce(Answer) + Send + 'static) {
        let reply = Reply::Told(Box::new(tell));
        let (_, work, _) = self.arrive(&mut self.lock(), request, reply);
        self.carry_out(work);
    }

    fn lock(&self) -> MutexGuard<'_, State<R::Instance>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the pool decide, and sees what follows.
    fn decide(&self, ask: impl FnOnce(&mut Pool, u64, &mut Vec<Action>)) -> Work<R::Instance> {
        let state = &mut *self.lock();
        ask(&mut state.pool, monotonic_ns(), &mut state.actions);
        self.follow(state)
    }

    fn arrive(
        &self,
        state: &mut State<R::Instance>,
        request: Request,
        reply: Reply<R::Instance>,
    ) -> (Ticket, Work<R::Instance>, Option<Receiver<Handed<R::Instance>>>) {
        let ticket = state.tickets;
        state.tickets += 1;
        let deadline_ns = request.intended_ns.saturating_add(self.timeout_ns);
        state.waiting.insert(ticket, Waiting { request, reply });
        state.pool.arrive(ticket, monotonic_ns(), &mut state.actions);
        let mut work = self.follow(state);
        let mut waits = None;
        if let Some(waiting) = state.waiting.get_mut(&ticket) {
            if matches!(waiting.reply, Reply::Caller) {
                let (sender, receiver) = sync_channel(1);
                waiting.reply = Reply::Thread(sender);
                waits = Some(receiver);
            }
            state.deadlines.insert((deadline_ns, ticket));
            work.wake_timer |= state.arm();
        }
        (ticket, work, waits)
    }

    /// Does what the pool has decided, as far as it takes no time, and says what is left.
    fn follow(&self, state: &mut State<R::Instance>) -> Work<R::Instance> {
        let mut work = Work::none();
        let mut actions = std::mem::take(&mut state.actions);
        for action in actions.drain(..) {
            match action {
                Action::Assign { ticket, instance, fresh, waited } => {
                    let start = if fresh && waited { self.factory.cold() } else { Start::Warm };
                    self.assign(state, &mut work, ticket, instance, start);
                }
                Action::Reject { ticket, why } => {
                    let (cause, message) = match why {
                        Rejection::QueueFull => (
                            Cause::QueueFull,
                            "all instances are busy and the queue is full".into(),
                        ),
                        Rejection::Draining => {
                            (Cause::Draining, "the function takes no more requests".into())
                        }
                        Rejection::NoInstance => (Cause::NoInstance, state.why_no_instance.clone()),
                    };
                    self.refuse(state, &mut work, ticket, cause, message);
                }
                Action::Provision { instance } => {
                    state.moving += 1;
                    work.make.push(instance);
                }
                Action::Reclaim { instance } => {
                    state.moving += 1;
                    work.free.extend(state.resting.remove(&instance));
                }
            }
        }
        state.actions = actions;
        work.wake_timer |= state.arm();
        work
    }

    fn assign(
        &self,
        state: &mut State<R::Instance>,
        work: &mut Work<R::Instance>,
        ticket: Ticket,
        instance: u32,
        start: Start,
    ) {
        let slot = state.resting.remove(&instance).expect("the pool assigns what rests");
        let Waiting { request, reply } = state.take_waiting(ticket, self.timeout_ns);
        if let Some(pid) = slot.pid() {
            state.processes.insert(instance, pid);
        }
        let job = Job { ticket, instance, slot, request, start };
        match reply {
            Reply::Caller => work.here = Some(Handed::Job(job)),
            Reply::Thread(thread) => work.handed.push((thread, Handed::Job(job))),
            Reply::Told(tell) => {
                state.running.insert(ticket, Running { request: job.request.clone(), tell });
                work.jobs.push(job);
            }
        }
    }

    /// Answers a request that waits and is not served.
    fn refuse(
        &self,
        state: &mut State<R::Instance>,
        work: &mut Work<R::Instance>,
        ticket: Ticket,
        cause: Cause,
        message: String,
    ) {
        let Waiting { request, reply } = state.take_waiting(ticket, self.timeout_ns);
        let answer = answer::refused(&request, cause, message, monotonic_ns());
        match reply {
            Reply::Caller => work.here = Some(Handed::Answer(answer)),
            Reply::Thread(thread) => work.handed.push((thread, Handed::Answer(answer))),
            Reply::Told(tell) => work.told.push((tell, answer)),
        }
    }

    /// Does what takes time, on other threads.
    fn carry_out(&self, work: Work<R::Instance>) {
        let Work { here, handed, told, jobs, make, free, wake_timer } = work;
        debug_assert!(here.is_none(), "the caller takes what is for it");
        for (thread, handed) in handed {
            assert!(thread.send(handed).is_ok(), "a thread waits until it is answered");
        }
        for (tell, answer) in told {
            tell(answer);
        }
        if wake_timer {
            self.timer.notify_one();
        }
        if jobs.is_empty() && make.is_empty() && free.is_empty() {
            return;
        }
        let this = || self.this.upgrade().expect("executors live in an Arc");
        for job in jobs {
            let this = this();
            self.threads.spawn_blocking(move || this.run_on(job));
        }
        for instance in make {
            let this = this();
            self.threads.spawn_blocking(move || this.make(instance));
        }
        for slot in free {
            let this = this();
            self.threads.spawn_blocking(move || this.free(slot));
        }
    }

    /// Like [`carry_out`](Self::carry_out), but serves one of the requests that found an
    /// instance by itself: no other thread need wake up for it.
    fn carry_on(&self, mut work: Work<R::Instance>) {
        let job = work.jobs.pop();
        self.carry_out(work);
        if let Some(job) = job {
            self.run_on(job);
        }
    }

    fn run_on(&self, job: Job<R::Instance>) {
        let mut next = Some(job);
        while let Some(job) = next {
            let ticket = job.ticket;
            let (answer, mut work) = self.run(job);
            let running = self.lock().running.remove(&ticket);
            if let Some(Running { tell, .. }) = running {
                tell(answer);
            }
            next = work.jobs.pop();
            self.carry_out(work);
        }
        self.moved.notify_waiters();
    }

    /// Serves a request with the instance that it was assigned.
    fn run(&self, job: Job<R::Instance>) -> (Answer, Work<R::Instance>) {
        let Job { instance, mut slot, request, start, .. } = job;
        let deadline_ns = request.intended_ns.saturating_add(self.timeout_ns);
        let now_ns = monotonic_ns();
        let (answer, alive) = if now_ns >= deadline_ns {
            let message = "the deadline passed before the function was called".to_owned();
            (answer::refused(&request, Cause::DeadlinePassed, message, now_ns), true)
        } else {
            let call = slot.invoke(&request.body, deadline_ns);
            self.expect(call.ended_ns - call.began_ns);
            let alive = call.result.is_ok();
            let timeout = Duration::from_nanos(self.timeout_ns);
            (answer::served(&request, start, instance, &mut slot, call, timeout), alive)
        };
        slot.provisioned = None;
        let state = &mut *self.lock();
        state.processes.remove(&instance);
        let mut dead = None;
        if alive {
            state.resting.insert(instance, slot);
        } else {
            state.moving += 1;
            dead = Some(slot);
        }
        state.pool.served(instance, alive, monotonic_ns(), &mut state.actions);
        let mut work = self.follow(state);
        work.free.extend(dead);
        (answer, work)
    }

    fn serve_handed(&self, handed: Handed<R::Instance>) -> Answer {
        match handed {
            Handed::Answer(answer) => answer,
            Handed::Job(job) => {
                let (answer, work) = self.run(job);
                self.carry_out(work);
                answer
            }
        }
    }

    fn make(&self, instance: u32) {
        let made = self.factory.make(instance);
        let work = {
            let state = &mut *self.lock();
            state.moving -= 1;
            match made {
                Ok(slot) => {
                    state.resting.insert(instance, slot);
                    state.pool.provisioned(instance, monotonic_ns(), &mut state.actions);
                }
                Err(error) => {
                    state.why_no_instance = format!("no instance could be made: {error}");
                    state.pool.provisioning_failed(instance, monotonic_ns(), &mut state.actions);
                }
            }
            self.follow(state)
        };
        self.moved.notify_waiters();
        self.carry_on(work);
    }

    fn free(&self, slot: Slot<R::Instance>) {
        let counters = slot.counters();
        drop(slot);
        {
            let state = &mut *self.lock();
            state.counters.extend(counters);
            state.moving -= 1;
        }
        self.moved.notify_waiters();
    }

    fn expect(&self, took_ns: u64) {
        // On a busy machine now and then one is interrupted for milliseconds, however short it
        // is: that alone must not have all others handed over.
        let took_ns = took_ns.min(4 * SHORT_NS);
        let next_ns = match self.expected_ns.load(Relaxed) {
            NEVER => took_ns,
            expected_ns => expected_ns - expected_ns / FORGET + took_ns / FORGET,
        };
        self.expected_ns.store(next_ns, Relaxed);
    }

    /// A request whose client has left.
    fn leave(&self, ticket: Ticket) {
        let work = {
            let state = &mut *self.lock();
            state.running.remove(&ticket);
            if !state.waiting.contains_key(&ticket) {
                return;
            }
            state.pool.cancel(ticket, monotonic_ns(), &mut state.actions);
            state.take_waiting(ticket, self.timeout_ns);
            self.follow(state)
        };
        self.carry_out(work);
    }

    /// Does what is due and returns when the next thing is.
    fn look(&self) -> u64 {
        let (work, next_ns) = {
            let state = &mut *self.lock();
            let now_ns = monotonic_ns();
            let mut work = Work::none();
            while let Some(&(deadline_ns, ticket)) = state.deadlines.first()
                && deadline_ns <= now_ns
            {
                state.pool.cancel(ticket, now_ns, &mut state.actions);
                let message = "the deadline passed in the queue".to_owned();
                self.refuse(state, &mut work, ticket, Cause::DeadlinePassed, message);
            }
            state.pool.tick(now_ns, &mut state.actions);
            state.armed_ns = NEVER;
            let Work { here: None, handed, told, jobs, make, free, .. } = self.follow(state) else {
                unreachable!("nobody calls for these requests");
            };
            work.handed.extend(handed);
            work.told.extend(told);
            work.jobs.extend(jobs);
            work.make.extend(make);
            work.free.extend(free);
            (work, state.armed_ns)
        };
        self.carry_out(work);
        next_ns
    }

    /// Ready when no instance is on its way: those of the minimum and the reserve are made,
    /// or could not be made.
    pub async fn ready(&self) {
        self.until(|this| this.lock().pool.standing().provisioning == 0).await;
    }

    /// Ready when `holds` does; it is asked whenever an instance was made or freed.
    async fn until(&self, holds: impl Fn(&Self) -> bool) {
        loop {
            let mut moved = pin!(self.moved.notified());
            moved.as_mut().enable();
            if holds(self) {
                return;
            }
            moved.await;
        }
    }

    fn is_empty(&self) -> bool {
        let state = self.lock();
        state.pool.is_drained() && state.moving == 0 && state.running.is_empty()
    }
}

impl<I> State<I> {
    fn new(pool: Pool) -> Self {
        Self {
            pool,
            actions: Vec::new(),
            tickets: 0,
            resting: HashMap::new(),
            waiting: HashMap::new(),
            deadlines: BTreeSet::new(),
            running: HashMap::new(),
            processes: HashMap::new(),
            moving: 0,
            counters: Vec::new(),
            why_no_instance: String::new(),
            armed_ns: NEVER,
        }
    }

    fn take_waiting(&mut self, ticket: Ticket, timeout_ns: u64) -> Waiting<I> {
        let waiting = self.waiting.remove(&ticket).expect("a request waits until it is taken");
        if !self.deadlines.is_empty() {
            let deadline_ns = waiting.request.intended_ns.saturating_add(timeout_ns);
            self.deadlines.remove(&(deadline_ns, ticket));
        }
        waiting
    }

    /// Whether the timer must be woken, since something is due before it looks.
    fn arm(&mut self) -> bool {
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

/// Looks at the executor whenever something is due, until it is gone.
async fn keep_time<R: Runtime>(executor: Weak<Executor<R>>, timer: Arc<Notify>) {
    loop {
        let Some(this) = executor.upgrade() else { return };
        let next_ns = this.look();
        drop(this);
        if next_ns == NEVER {
            timer.notified().await;
        } else {
            let left = Duration::from_nanos(next_ns.saturating_sub(monotonic_ns()));
            let _ = tokio::time::timeout(left, timer.notified()).await;
        }
    }
}

/// Takes a request back when its future is dropped.
struct Leave<R: Runtime> {
    executor: Arc<Executor<R>>,
    ticket: Ticket,
    answered: bool,
}

impl<R: Runtime> Leave<R> {
    /// A method, since a future would capture the field alone.
    fn is_answered(&mut self) {
        self.answered = true;
    }
}

impl<R: Runtime> Drop for Leave<R> {
    fn drop(&mut self) {
        if !self.answered {
            self.executor.leave(self.ticket);
        }
    }
}

impl<R: Runtime> Service for Executor<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn serve_here(&self, request: Request) -> Result<Answer, Request> {
        if self.expected_ns.load(Relaxed) > SHORT_NS {
            return Err(request);
        }
        let mut state = self.lock();
        if state.resting.is_empty() {
            return Err(request);
        }
        let (_, mut work, _) = self.arrive(&mut state, request, Reply::Caller);
        drop(state);
        let handed = work.here.take().expect("an instance rests, or the pool is drained");
        self.carry_out(work);
        Ok(self.serve_handed(handed))
    }

    fn submit(self: Arc<Self>, request: Request) -> Pending {
        let (sender, receiver) = oneshot::channel();
        let tell = move |answer| {
            // Whoever left needs no answer.
            let _ = sender.send(answer);
        };
        let reply = Reply::Told(Box::new(tell));
        let (ticket, work, _) = self.arrive(&mut self.lock(), request, reply);
        self.carry_out(work);
        let mut leave = Leave { executor: self, ticket, answered: false };
        Box::pin(async move {
            let answer = receiver.await.expect("each request is answered");
            leave.is_answered();
            answer
        })
    }

    fn standing(&self) -> Standing {
        self.lock().pool.standing()
    }

    fn drain(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let work = self.decide(|pool, now_ns, actions| pool.drain(now_ns, actions));
        self.carry_out(work);
        Box::pin(async move { self.until(Self::is_empty).await })
    }

    fn stop(&self) {
        let work = {
            let state = &mut *self.lock();
            state.pool.drain(monotonic_ns(), &mut state.actions);
            for pid in state.processes.values() {
                let _ = kill(*pid, Signal::SIGKILL);
            }
            let mut work = self.follow(state);
            for (_, Running { request, tell }) in state.running.drain() {
                let message = "stopped, since the function is being shut down".to_owned();
                let now_ns = monotonic_ns();
                work.told.push((tell, answer::refused(&request, Cause::Draining, message, now_ns)));
            }
            work
        };
        self.carry_out(work);
    }

    fn take_events(&self) -> (Vec<PoolEvent>, u64) {
        let pool = &mut self.lock().pool;
        (pool.take_events(), pool.lost_events())
    }

    fn take_counters(&self) -> Vec<Counters> {
        std::mem::take(&mut self.lock().counters)
    }
}
