//! How requests come to an executor from an event loop: served on the loop's own thread
//! where that is short, or elsewhere, and taken back when their client leaves.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use lumos_model::counters::Counters;
use lumos_model::pool::PoolEvent;
use lumos_os::clock::monotonic_ns;
use lumos_runtime::engine::Runtime;
use nix::sys::signal::{Signal, kill};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::answer;
use super::executor::{Executor, SHORT_NS};
use super::state::{Arrived, Handed, Reply, Running, State, Work};
use super::{Answer, Cause, Pending, Request, Service};
use crate::pool::{Standing, Ticket};

impl<R: Runtime> Executor<R> {
    /// A request whose client has left.
    fn leave(&self, ticket: Ticket) {
        let work = {
            let state = &mut *self.lock();
            state.running.remove(&ticket);
            if !state.waiting.contains_key(&ticket) {
                return;
            }
            self.withdraw(state, ticket)
        };
        self.carry_out(work);
    }

    /// Takes a request that waits out of the pool.
    fn withdraw(&self, state: &mut State<R::Instance>, ticket: Ticket) -> Work<R::Instance> {
        state.pool.cancel(ticket, monotonic_ns(), &mut state.actions);
        state.take_waiting(ticket, self.timeout_ns);
        self.follow(state)
    }

    /// Whether a request would have an instance made for it at once, and that is short enough
    /// for a thread that others wait for. Not a process: it would die with this thread.
    fn may_make_here(&self, state: &State<R::Instance>) -> bool {
        let short = self.making.ns().saturating_add(self.serving.ns()) <= SHORT_NS;
        if !short || !self.factory.is_in_thread() || !state.waiting.is_empty() {
            return false;
        }
        let Standing { provisioning, idle, busy, .. } = state.pool.standing();
        provisioning + idle + busy < self.max_instances
    }

    /// Frees instances on the calling thread, when it has sent the answer.
    fn free_later(&self, work: &mut Work<R::Instance>) {
        let Ok(event_loop) = Handle::try_current() else { return };
        if !self.factory.is_in_thread() {
            return;
        }
        for slot in std::mem::take(&mut work.free) {
            let this = self.this.upgrade().expect("executors live in an Arc");
            event_loop.spawn(async move { this.free(slot) });
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
        if self.serving.ns() > SHORT_NS {
            return Err(request);
        }
        let mut state = self.lock();
        if state.resting.is_empty() && !self.may_make_here(&state) {
            return Err(request);
        }
        let again = request.clone();
        let Arrived { ticket, mut work, waits } = self.arrive(&mut state, request, Reply::Caller);
        let handed = match (work.here.take(), waits) {
            (Some(handed), _) => {
                drop(state);
                self.carry_out(work);
                handed
            }
            (None, Some(waits)) => {
                let Some(instance) = work.make.pop() else {
                    // The pool would have it wait, which this thread may not.
                    let withdrawn = self.withdraw(&mut state, ticket);
                    drop(state);
                    self.carry_out(work);
                    self.carry_out(withdrawn);
                    return Err(again);
                };
                drop(state);
                self.carry_out(work);
                let made = self.make(instance);
                self.carry_out(made);
                // It was the only one that waited, so it has this instance, another one
                // that became idle meanwhile, or an answer.
                waits.recv().expect("who waits is answered")
            }
            (None, None) => unreachable!("a caller that is not answered waits"),
        };
        Ok(match handed {
            Handed::Answer(answer) => *answer,
            Handed::Job(job) => {
                let (answer, mut work) = self.run(job);
                self.free_later(&mut work);
                self.carry_out(work);
                answer
            }
        })
    }

    fn submit(self: Arc<Self>, request: Request) -> Pending {
        let (sender, receiver) = oneshot::channel();
        let tell = move |answer| {
            // Whoever left needs no answer.
            let _ = sender.send(answer);
        };
        let reply = Reply::Told(Box::new(tell));
        let Arrived { ticket, work, .. } = self.arrive(&mut self.lock(), request, reply);
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
