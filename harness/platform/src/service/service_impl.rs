//! How requests reach an executor from an event loop: they are served on the loop's own thread
//! if that is short, and on a worker thread otherwise.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use lumos_model::cell::Isolation;
use lumos_model::counters::Counters;
use lumos_model::pool::PoolEvent;
use nix::sys::signal::{Signal, kill};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::effects::{Effects, Turn};
use super::executor::{Executor, SHORT_NS};
use super::interface::{Pending, PooledService, Service};
use super::provider::Provider;
use super::request::{Answer, Request};
use super::state::{Arrival, State};
use crate::pool::{Standing, Ticket};

impl<P: Provider> Service for Executor<P> {
    fn name(&self) -> &str {
        &self.name
    }

    fn serve_here(&self, request: Request) -> Result<Answer, Request> {
        if self.serving.ns() > SHORT_NS {
            return Err(request);
        }
        match self.turn_here(request)? {
            Err(refusal) => Ok(*refusal),
            Ok(assignment) => {
                let (answer, mut effects) = self.run(assignment);
                self.free_later(&mut effects);
                self.carry_out(effects);
                Ok(answer)
            }
        }
    }

    fn submit(self: Arc<Self>, request: Request) -> Pending {
        let (sender, receiver) = oneshot::channel();
        let callback = move |answer| {
            // An error says that the client has left.
            let _ = sender.send(answer);
        };
        let (ticket, effects) = self.lock().arrive_for_worker(request, Box::new(callback));
        self.carry_out(effects);
        let mut leave = LeaveOnDrop { executor: self, ticket, answered: false };
        Box::pin(async move {
            let answer = receiver.await.expect("each request is answered");
            leave.set_answered();
            answer
        })
    }

    fn standing(&self) -> Standing {
        self.lock().pool.standing()
    }

    fn drain(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let effects = self.lock().drain();
        self.carry_out(effects);
        Box::pin(async move { self.until(|this| this.lock().is_empty()).await })
    }

    fn stop(&self) {
        let effects = {
            let mut state = self.lock();
            let mut effects = state.drain();
            for pid in state.busy_processes() {
                let _ = kill(pid, Signal::SIGKILL);
            }
            state.abandon_running(&mut effects);
            effects
        };
        self.carry_out(effects);
    }
}

impl<P: Provider> PooledService for Executor<P> {
    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.until(|this| this.standing().provisioning == 0))
    }

    fn forget_telemetry(&self) {
        self.forget();
    }

    fn take_events(&self) -> (Vec<PoolEvent>, u64) {
        let pool = &mut self.lock().pool;
        (pool.take_events(), pool.lost_events())
    }

    fn take_counters(&self) -> Vec<Counters> {
        self.lock().take_counters()
    }
}

impl<P: Provider> Executor<P> {
    /// The turn of a request that must not wait. Returns the request if it would have to.
    fn turn_here(&self, request: Request) -> Result<Turn<P::Instance>, Request> {
        let mut state = self.lock();
        if !state.has_resting() && !self.may_provision_here(&state) {
            return Err(request);
        }
        let again = request.clone();
        let (arrival, mut effects) = state.arrive_here(request);
        let (ticket, turn) = match arrival {
            Arrival::Now(turn) => {
                drop(state);
                self.carry_out(effects);
                return Ok(turn);
            }
            Arrival::Later { ticket, turn } => (ticket, turn),
        };
        let Some(number) = effects.provision.pop() else {
            state.withdraw(ticket, &mut effects);
            drop(state);
            self.carry_out(effects);
            return Err(again);
        };
        drop(state);
        self.carry_out(effects);
        let effects = self.provision(number);
        self.carry_out(effects);
        // No other request waited, so this one has the new instance, another one that became
        // idle meanwhile, or a refusal.
        Ok(turn.recv().expect("each waiting request gets a turn"))
    }

    /// Whether an instance would be created for a request at once, and quickly enough for an
    /// event loop. Never a process: it would die with the event loop's thread.
    fn may_provision_here(&self, state: &State<P::Instance>) -> bool {
        let expected_ns = self.provisioning.ns().saturating_add(self.serving.ns());
        if P::ISOLATION == Isolation::Process || expected_ns > SHORT_NS || state.has_waiting() {
            return false;
        }
        let Standing { provisioning, idle, busy, .. } = state.pool.standing();
        provisioning + idle + busy < self.max_instances
    }

    /// Leaves instances to be freed by the event loop, after it has sent the answer.
    fn free_later(&self, effects: &mut Effects<P::Instance>) {
        let Ok(event_loop) = Handle::try_current() else { return };
        if P::ISOLATION == Isolation::Process {
            return;
        }
        for instance in std::mem::take(&mut effects.free) {
            let this = self.share();
            event_loop.spawn(async move { this.free(instance) });
        }
    }
}

/// Reports that a client left, when the future of its answer is dropped.
struct LeaveOnDrop<P: Provider> {
    executor: Arc<Executor<P>>,
    ticket: Ticket,
    answered: bool,
}

impl<P: Provider> LeaveOnDrop<P> {
    /// A method, because a future would capture the field alone.
    fn set_answered(&mut self) {
        self.answered = true;
    }
}

impl<P: Provider> Drop for LeaveOnDrop<P> {
    fn drop(&mut self) {
        if !self.answered {
            let effects = self.executor.lock().leave(self.ticket);
            self.executor.carry_out(effects);
        }
    }
}
