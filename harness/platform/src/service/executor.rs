//! Carries out what a [`Pool`] decides: makes instances, hands requests to them, ends them.
//!
//! The pool's decisions are taken under one lock, which is held for some hundred
//! nanoseconds and never while anything waits. What takes longer is done after it, on the
//! calling thread or on the blocking threads of a tokio runtime, which must never end: an
//! instance's process dies with the thread that made it (`PR_SET_PDEATHSIG`).

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use lumos_model::cell::Start;
use lumos_model::protocol::Pooled;
use lumos_os::clock::monotonic_ns;
use lumos_runtime::engine::Runtime;
use lumos_runtime::error::HostError;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::answer;
use super::expected::Expected;
use super::instance::{Factory, Home, Slot};
use super::state::{Arrived, Handed, Job, NEVER, Reply, Running, State, Waiting, Work};
use super::{Answer, Cause, Request};
use crate::pool::{Action, Pool, Rejection, Ticket};

/// What a request may be expected to take if it is served on a thread that others wait for.
pub(super) const SHORT_NS: u64 = 200_000;

/// A function with a pool of instances.
pub struct Executor<R: Runtime> {
    pub(super) name: String,
    pub(super) factory: Factory<R>,
    pub(super) timeout_ns: u64,
    state: Mutex<State<R::Instance>>,
    /// How long an invocation is expected to take.
    pub(super) serving: Expected,
    /// How long it is expected to take to make an instance.
    pub(super) making: Expected,
    pub(super) max_instances: u32,
    /// Nobody takes events, counters or CPU times.
    forgets: AtomicBool,
    timer: Arc<Notify>,
    /// Told when an instance was made or freed, or a request was answered.
    moved: Notify,
    threads: Handle,
    pub(super) this: Weak<Self>,
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
            serving: Expected::new(4 * SHORT_NS),
            making: Expected::new(4 * SHORT_NS),
            max_instances: function.pool.max_instances,
            forgets: AtomicBool::new(false),
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
        let Arrived { mut work, waits, .. } = self.arrive(&mut self.lock(), request, Reply::Caller);
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
        let Arrived { work, .. } = self.arrive(&mut self.lock(), request, reply);
        self.carry_out(work);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<R::Instance>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the pool decide, and sees what follows.
    pub(super) fn decide(
        &self,
        ask: impl FnOnce(&mut Pool, u64, &mut Vec<Action>),
    ) -> Work<R::Instance> {
        let state = &mut *self.lock();
        ask(&mut state.pool, monotonic_ns(), &mut state.actions);
        self.follow(state)
    }

    pub(super) fn arrive(
        &self,
        state: &mut State<R::Instance>,
        request: Request,
        reply: Reply<R::Instance>,
    ) -> Arrived<R::Instance> {
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
        Arrived { ticket, work, waits }
    }

    /// Does what the pool has decided, as far as it takes no time, and says what is left.
    pub(super) fn follow(&self, state: &mut State<R::Instance>) -> Work<R::Instance> {
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
        let now_ns = monotonic_ns();
        let late = now_ns >= request.intended_ns.saturating_add(self.timeout_ns);
        // What kept an instance from being made in time is the reason, and not what happened.
        let cause = if late && cause == Cause::NoInstance { Cause::DeadlinePassed } else { cause };
        let answer = answer::refused(&request, cause, message, now_ns);
        match reply {
            Reply::Caller => work.here = Some(Handed::Answer(Box::new(answer))),
            Reply::Thread(thread) => work.handed.push((thread, Handed::Answer(Box::new(answer)))),
            Reply::Told(tell) => work.told.push((tell, answer)),
        }
    }

    /// Does what takes time, on other threads.
    pub(super) fn carry_out(&self, work: Work<R::Instance>) {
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
            self.threads.spawn_blocking(move || this.carry_on(Work::of(job)));
        }
        for instance in make {
            let this = this();
            self.threads.spawn_blocking(move || {
                let work = this.make(instance);
                this.moved.notify_waiters();
                this.carry_on(work);
            });
        }
        for slot in free {
            let this = this();
            self.threads.spawn_blocking(move || this.free(slot));
        }
    }

    /// Like [`carry_out`](Self::carry_out) on a thread of our own, which serves one of the
    /// requests that found an instance by itself, or else frees what is to be freed: no
    /// other thread need wake up for that.
    fn carry_on(&self, mut work: Work<R::Instance>) {
        while let Some(job) = work.jobs.pop() {
            self.carry_out(work);
            let ticket = job.ticket;
            let (answer, next) = self.run(job);
            let running = self.lock().running.remove(&ticket);
            if let Some(Running { tell, .. }) = running {
                tell(answer);
            }
            work = next;
        }
        let free = std::mem::take(&mut work.free);
        self.carry_out(work);
        for slot in free {
            self.free(slot);
        }
        self.moved.notify_waiters();
    }

    /// Serves a request with the instance that it was assigned.
    pub(super) fn run(&self, job: Job<R::Instance>) -> (Answer, Work<R::Instance>) {
        let Job { instance, mut slot, request, start, .. } = job;
        let deadline_ns = request.intended_ns.saturating_add(self.timeout_ns);
        let now_ns = monotonic_ns();
        let (answer, alive) = if now_ns >= deadline_ns {
            let message = "the deadline passed before the function was called".to_owned();
            (answer::refused(&request, Cause::DeadlinePassed, message, now_ns), true)
        } else {
            let accounts_cpu = !self.forgets.load(Relaxed);
            let call = slot.invoke(&request.body, deadline_ns, accounts_cpu);
            self.serving.note(call.ended_ns - call.began_ns);
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
            Handed::Answer(answer) => *answer,
            Handed::Job(job) => {
                let (answer, work) = self.run(job);
                self.carry_out(work);
                answer
            }
        }
    }

    pub(super) fn make(&self, instance: u32) -> Work<R::Instance> {
        let begin_ns = monotonic_ns();
        let made = self.factory.make(instance);
        self.making.note(monotonic_ns() - begin_ns);
        {
            let state = &mut *self.lock();
            state.moving -= 1;
            match made {
                Ok(slot) => {
                    state.resting.insert(instance, Box::new(slot));
                    state.pool.provisioned(instance, monotonic_ns(), &mut state.actions);
                }
                Err(error) => {
                    state.why_no_instance = format!("no instance could be made: {error}");
                    state.pool.provisioning_failed(instance, monotonic_ns(), &mut state.actions);
                }
            }
            self.follow(state)
        }
    }

    pub(super) fn free(&self, slot: Box<Slot<R::Instance>>) {
        let counters = if self.forgets.load(Relaxed) { None } else { slot.counters() };
        drop(slot);
        {
            let state = &mut *self.lock();
            state.counters.extend(counters);
            state.moving -= 1;
        }
        self.moved.notify_waiters();
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

    /// Nobody will take events, counters or CPU times: none are kept from here on, so that a
    /// pool may live for ever, and no clock of CPU time is read, which would cost a warm
    /// request a tenth of its time.
    pub fn forget_telemetry(&self) {
        self.forgets.store(true, Relaxed);
        let state = &mut *self.lock();
        state.counters = Vec::new();
        state.pool.forget_events();
    }

    /// Ready when no instance is on its way: those of the minimum and the reserve are made,
    /// or could not be made.
    pub async fn ready(&self) {
        self.until(|this| this.lock().pool.standing().provisioning == 0).await;
    }

    /// Ready when `holds` does; it is asked whenever an instance was made or freed.
    pub(super) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        loop {
            let mut moved = pin!(self.moved.notified());
            moved.as_mut().enable();
            if holds(self) {
                return;
            }
            moved.await;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.pool.is_drained() && state.moving == 0 && state.running.is_empty()
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
