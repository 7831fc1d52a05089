//! Carries out the decisions of a [`Pool`]: creates instances, gives them requests, ends them.
//!
//! The decisions are taken under one lock ([`State`]), which is held for some hundred
//! nanoseconds and never while a thread waits. The longer work follows after it, on the
//! calling thread or on the blocking threads of a tokio runtime. Those threads must never
//! end: an instance's process dies with the thread that started it (`PR_SET_PDEATHSIG`).

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use lumos_model::protocol::Pooled;
use lumos_os::clock::monotonic_ns;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::answer;
use super::effects::{Assignment, Effects};
use super::pooled_instance::PooledInstance;
use super::provider::{CpuClocks, Provider, cold_start};
use super::recent_mean::RecentMean;
use super::request::{Answer, Cause, Request};
use super::state::{Arrival, NEVER, State};
use crate::pool::Pool;

/// The expected duration up to which a request may hold up a thread's other work.
pub(super) const SHORT_NS: u64 = 200_000;

/// A function with a pool of instances.
pub struct Executor<P: Provider> {
    // Declared before the provider: instances are dropped before their module.
    state: Mutex<State<P::Instance>>,
    provider: P,
    pub(super) name: String,
    timeout_ns: u64,
    pub(super) max_instances: u32,
    /// Durations of invocations.
    pub(super) serving: RecentMean,
    /// Durations of provisioning.
    pub(super) provisioning: RecentMean,
    telemetry_forgotten: AtomicBool,
    timer: Arc<Notify>,
    /// Notified when an instance was created or freed, or a request was answered.
    changed: Notify,
    threads: Handle,
    this: Weak<Self>,
}

impl<P: Provider> Executor<P> {
    /// Creates the pool, and the instances that it has from the start, on `threads`: a runtime
    /// whose blocking threads do not end and outnumber the pool's instances.
    pub fn start(provider: P, function: &Pooled, threads: Handle) -> Arc<Self> {
        let timeout_ns = function.prepare.limits.timeout.0.as_nanos() as u64;
        let pool = Pool::new(function.pool.clone());
        let executor = Arc::new_cyclic(|this| Self {
            state: Mutex::new(State::new(pool, timeout_ns, cold_start(P::ISOLATION))),
            provider,
            name: function.name.clone(),
            timeout_ns,
            max_instances: function.pool.max_instances,
            serving: RecentMean::new(4 * SHORT_NS),
            provisioning: RecentMean::new(4 * SHORT_NS),
            telemetry_forgotten: AtomicBool::new(false),
            timer: Arc::default(),
            changed: Notify::new(),
            threads,
            this: this.clone(),
        });
        executor.threads.spawn(run_timer(executor.this.clone(), executor.timer.clone()));
        let effects = executor.lock().start();
        executor.carry_out(effects);
        executor
    }

    /// Serves `request` on the calling thread, which blocks until there is an instance.
    pub fn serve(&self, request: Request) -> Answer {
        let (arrival, effects) = self.lock().arrive_here(request);
        self.carry_out(effects);
        let turn = match arrival {
            Arrival::Now(turn) => turn,
            Arrival::Later { turn, .. } => turn.recv().expect("each waiting request gets a turn"),
        };
        match turn {
            Err(refusal) => *refusal,
            Ok(assignment) => {
                let (answer, effects) = self.run(assignment);
                self.carry_out(effects);
                answer
            }
        }
    }

    /// Serves `request` on a worker thread, which passes the answer to `callback`.
    pub fn dispatch(&self, request: Request, callback: impl FnOnce(Answer) + Send + 'static) {
        let (_, effects) = self.lock().arrive_for_worker(request, Box::new(callback));
        self.carry_out(effects);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<P::Instance>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Itself, for work on another thread.
    pub(super) fn share(&self) -> Arc<Self> {
        self.this.upgrade().expect("executors live in an Arc")
    }

    /// Delivers turns and answers, and hands the rest of the work to other threads.
    pub(super) fn carry_out(&self, effects: Effects<P::Instance>) {
        let Effects { turn, turns, answers, assignments, provision, free, wake_timer } = effects;
        debug_assert!(turn.is_none(), "the arriving thread takes its turn");
        for (thread, turn) in turns {
            assert!(thread.send(turn).is_ok(), "a blocked thread waits for its turn");
        }
        for (callback, answer) in answers {
            callback(answer);
        }
        if wake_timer {
            self.timer.notify_one();
        }
        for assignment in assignments {
            let this = self.share();
            let effects = Effects { assignments: vec![assignment], ..Effects::default() };
            self.threads.spawn_blocking(move || this.work(effects));
        }
        for number in provision {
            let this = self.share();
            self.threads.spawn_blocking(move || {
                let effects = this.provision(number);
                this.changed.notify_waiters();
                this.work(effects);
            });
        }
        for instance in free {
            let this = self.share();
            self.threads.spawn_blocking(move || this.free(instance));
        }
    }

    /// Like [`carry_out`](Self::carry_out), but on a worker thread, which serves one of the
    /// requests itself and frees the instances itself. That saves waking up other threads.
    fn work(&self, mut effects: Effects<P::Instance>) {
        while let Some(assignment) = effects.assignments.pop() {
            self.carry_out(effects);
            let ticket = assignment.ticket;
            let (answer, next) = self.run(assignment);
            let callback = self.lock().take_callback(ticket);
            if let Some(callback) = callback {
                callback(answer);
            }
            effects = next;
        }
        let free = std::mem::take(&mut effects.free);
        self.carry_out(effects);
        for instance in free {
            self.free(instance);
        }
        self.changed.notify_waiters();
    }

    /// Serves a request with the instance that it was assigned.
    pub(super) fn run(
        &self,
        assignment: Assignment<P::Instance>,
    ) -> (Answer, Effects<P::Instance>) {
        let Assignment { number, mut instance, request, start, .. } = assignment;
        let deadline_ns = request.intended_ns.saturating_add(self.timeout_ns);
        let now_ns = monotonic_ns();
        let (answer, alive) = if now_ns >= deadline_ns {
            let message = "the deadline passed before the function was called".to_owned();
            (answer::refused(&request, Cause::DeadlinePassed, message, now_ns), true)
        } else {
            let invocation = instance.invoke(&request.body, deadline_ns, self.cpu_clocks());
            self.serving.add(invocation.ended_ns - invocation.began_ns);
            let alive = invocation.result.is_ok();
            let timeout = Duration::from_nanos(self.timeout_ns);
            let instance = &mut instance;
            (answer::served(&request, start, number, instance, invocation, timeout), alive)
        };
        instance.provisioned = None;
        let mut state = self.lock();
        let effects =
            if alive { state.served(number, instance) } else { state.died(number, instance) };
        (answer, effects)
    }

    /// Creates an instance.
    pub(super) fn provision(&self, number: u32) -> Effects<P::Instance> {
        let begin_ns = monotonic_ns();
        let result = self.provider.provision(number);
        self.provisioning.add(monotonic_ns() - begin_ns);
        self.lock().provisioned(number, result)
    }

    /// Drops an instance.
    pub(super) fn free(&self, instance: Box<PooledInstance<P::Instance>>) {
        let counters = if self.forgets_telemetry() { None } else { instance.counters() };
        drop(instance);
        self.lock().freed(counters);
        self.changed.notify_waiters();
    }

    fn cpu_clocks(&self) -> CpuClocks {
        if self.forgets_telemetry() { CpuClocks::Skipped } else { CpuClocks::Read }
    }

    fn forgets_telemetry(&self) -> bool {
        self.telemetry_forgotten.load(Relaxed)
    }

    pub(super) fn forget(&self) {
        self.telemetry_forgotten.store(true, Relaxed);
        self.lock().forget_telemetry();
    }

    /// Resolves when `holds` returns true. It is called after each change.
    pub(super) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if holds(self) {
                return;
            }
            changed.await;
        }
    }
}

/// Calls [`State::tick`] whenever an event is due, until the executor is dropped.
async fn run_timer<P: Provider>(executor: Weak<Executor<P>>, timer: Arc<Notify>) {
    loop {
        let Some(this) = executor.upgrade() else { return };
        let (effects, next_ns) = this.lock().tick();
        this.carry_out(effects);
        drop(this);
        if next_ns == NEVER {
            timer.notified().await;
        } else {
            let left = Duration::from_nanos(next_ns.saturating_sub(monotonic_ns()));
            let _ = tokio::time::timeout(left, timer.notified()).await;
        }
    }
}
