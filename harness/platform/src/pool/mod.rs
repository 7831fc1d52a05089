//! The pool of a function's instances: which request gets which instance, when one is made
//! and when one is ended.
//!
//! A [`Pool`] decides and does nothing: it reads no clock, starts no thread and performs no
//! [`Action`]. Whoever holds it tells it what happened and when, and does what it answers.
//! So the same sequence of calls gives the same decisions on every machine.
//!
//! # Rules
//!
//! * An instance serves one invocation at a time. A request takes the idle instance that
//!   was used most recently, so that those which are not needed age; instances that never
//!   served come last. Requests that wait are served in the order of their arrival.
//! * **Keep-alive** counts from the end of the last invocation, or from readiness. At
//!   `idle since + keep_alive` and later an instance serves nobody: a request that comes at
//!   that nanosecond finds it reclaimed, whether [`Pool::tick`] was called in time or not.
//!   With a keep-alive of zero an instance serves once, without exception; what the minimum
//!   or the reserve then lacks is made anew.
//! * **`min_instances`** are made at the start. Nothing is reclaimed (but for a keep-alive
//!   of zero) while no more than these are ready, and one that fails is made again.
//! * **`prewarmed`**: beyond the busy instances, and those that waiting requests need, so
//!   many are idle or on their way. To take one is to request a replacement. Idle instances
//!   beyond the reserve age, those that have served first: an unused one is kept for the
//!   reserve however long it waits.
//! * **`max_instances`** bounds all that exist and are on their way, whoever wants them; it
//!   is stronger than the minimum and the reserve.
//! * **`queue`** bounds the waiting requests beyond the instances on their way: with a queue
//!   of zero a request may still wait for a cold start, but none behind a busy instance.
//! * An instance that **cannot be made** costs the oldest waiting request its answer
//!   ([`Rejection::NoInstance`]), so that none waits for ever. Requests that still wait have
//!   another made at once; what the minimum, the reserve or the autoscaler want is tried
//!   again after 1 s, then 2 s, up to 30 s, until one succeeds.
//!
//! With [`Scaling::Immediate`] a request that finds neither an idle instance nor one on its
//! way that no other request waits for has one made. With [`Scaling::Window`] an autoscaler
//! decides how many there are, as Knative's does (`autoscaler.rs`), and the keep-alive holds
//! for the last instance alone: others are reclaimed as soon as the autoscaler wants fewer,
//! the last when it wants none and the instance was idle for the keep-alive (Knative's
//! `scale-to-zero-pod-retention-period`). Only the first request of an empty pool has an
//! instance made at once, as by Knative's activator; all others need room in the queue.
//!
//! [`Scaling::Immediate`]: lumos_model::pool::Scaling::Immediate
//! [`Scaling::Window`]: lumos_model::pool::Scaling::Window

mod autoscaler;
mod backoff;
mod events;
mod instances;
mod scaling;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use lumos_model::pool::{PoolConfig, PoolEvent};

use self::autoscaler::Autoscaler;
use self::backoff::Backoff;
use self::instances::Instances;

pub use standing::Standing;

pub use self::events::EVENT_LIMIT;

/// The caller's name for a request; no two that wait may have the same.
pub type Ticket = u64;

/// The number of an instance in its pool, from 0. None is used again while it exists.
pub type InstanceId = u32;

/// What the caller has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make an instance, then call [`Pool::provisioned`] or [`Pool::provisioning_failed`].
    Provision {
        /// Its number.
        instance: InstanceId,
    },
    /// Let an instance serve a request, then call [`Pool::served`].
    Assign {
        /// The request.
        ticket: Ticket,
        /// The instance.
        instance: InstanceId,
        /// It has served nothing before.
        fresh: bool,
        /// The request has waited in the queue; with `fresh` it is a cold start that was
        /// waited for, without it a wait for a busy instance. An instance of the minimum
        /// or the reserve that was ready before is `fresh`, and nobody waited.
        waited: bool,
    },
    /// End an instance. It counts as gone already.
    Reclaim {
        /// The instance.
        instance: InstanceId,
    },
    /// Answer a request without serving it.
    Reject {
        /// The request.
        ticket: Ticket,
        /// Why.
        why: Rejection,
    },
}

/// Why a request is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// No instance is free, none is on its way to it, and as many wait as may.
    QueueFull,
    /// The pool is being drained.
    Draining,
    /// None could be made, or none may be: the maximum is zero.
    NoInstance,
}

/// A pool of instances. All times are nanoseconds of one monotonic clock; a time before
/// that of an earlier call counts as that of the earlier call, since callers may read the
/// clock before they wait for the pool.
#[derive(Debug)]
pub struct Pool {
    config: PoolConfig,
    keep_alive_ns: u64,
    now_ns: u64,
    waiting: VecDeque<Ticket>,
    instances: Instances,
    /// With [`Scaling::Window`](lumos_model::pool::Scaling::Window).
    autoscaler: Option<Autoscaler>,
    backoff: Backoff,
    draining: bool,
}

impl Pool {
    /// An empty pool. A maximum that is below the minimum or the reserve bounds them.
    pub fn new(config: PoolConfig) -> Self {
        Self {
            keep_alive_ns: nanos(config.keep_alive.0),
            now_ns: 0,
            waiting: VecDeque::new(),
            instances: Instances::default(),
            autoscaler: Autoscaler::new(config.scaling),
            backoff: Backoff::default(),
            draining: false,
            config,
        }
    }

    /// Begins: requests the minimum and the reserve. To be called once, before all else.
    pub fn start(&mut self, now_ns: u64, actions: &mut Vec<Action>) {
        if let Some(autoscaler) = &mut self.autoscaler {
            autoscaler.start(now_ns);
        }
        self.advance(now_ns, actions);
        self.settle(actions);
    }

    /// A request came. It is assigned or rejected at once, or it waits.
    pub fn arrive(&mut self, ticket: Ticket, now_ns: u64, actions: &mut Vec<Action>) {
        self.advance(now_ns, actions);
        if self.draining {
            actions.push(Action::Reject { ticket, why: Rejection::Draining });
        } else if self.config.max_instances == 0 {
            actions.push(Action::Reject { ticket, why: Rejection::NoInstance });
        } else if let Some((instance, fresh)) = self.instances.take(self.now_ns) {
            actions.push(Action::Assign { ticket, instance, fresh, waited: false });
            self.fill(actions);
        } else if self.may_wait() {
            self.wake();
            self.waiting.push_back(ticket);
            self.fill(actions);
        } else {
            actions.push(Action::Reject { ticket, why: Rejection::QueueFull });
        }
    }

    /// A request is not to be served any more: its client left, or its deadline passed.
    /// `true`: it waited and does no longer; `false`: it does not wait. The search begins
    /// with the oldest.
    pub fn cancel(&mut self, ticket: Ticket, now_ns: u64, actions: &mut Vec<Action>) -> bool {
        self.advance(now_ns, actions);
        let place = self.waiting.iter().position(|waiting| *waiting == ticket);
        place.and_then(|place| self.waiting.remove(place)).is_some()
    }

    /// An instance is made.
    ///
    /// # Panics
    /// When it is not on its way.
    pub fn provisioned(&mut self, instance: InstanceId, now_ns: u64, actions: &mut Vec<Action>) {
        self.advance(now_ns, actions);
        self.instances.made(instance, self.now_ns);
        self.backoff.reset();
        self.settle(actions);
    }

    /// An instance could not be made; it is gone. The oldest request that waits is rejected.
    ///
    /// # Panics
    /// When it is not on its way.
    pub fn provisioning_failed(
        &mut self,
        instance: InstanceId,
        now_ns: u64,
        actions: &mut Vec<Action>,
    ) {
        self.advance(now_ns, actions);
        self.instances.not_made(instance, self.now_ns);
        self.backoff.failed(self.now_ns);
        if let Some(ticket) = self.waiting.pop_front() {
            actions.push(Action::Reject { ticket, why: Rejection::NoInstance });
        }
        self.settle(actions);
    }

    /// An instance has served. Not `alive`: it is gone, and the caller frees what is left
    /// of it. An idle instance may be said to be dead, too.
    ///
    /// # Panics
    /// When it does not serve: it is on its way, gone, or idle and said to be alive.
    pub fn served(
        &mut self,
        instance: InstanceId,
        alive: bool,
        now_ns: u64,
        actions: &mut Vec<Action>,
    ) {
        self.advance(now_ns, actions);
        if !alive {
            self.instances.died(instance, self.now_ns);
        } else {
            self.instances.served(instance, self.now_ns);
            if self.keep_alive_ns == 0 {
                self.reclaim(instance, actions);
            }
        }
        self.settle(actions);
    }

    /// Does what is due: see [`next_tick_ns`](Self::next_tick_ns). Every other call does
    /// that, too, before its own part.
    pub fn tick(&mut self, now_ns: u64, actions: &mut Vec<Action>) {
        self.advance(now_ns, actions);
        self.settle(actions);
    }

    /// When [`tick`](Self::tick) has something to do, unless another call comes first;
    /// `None`: nothing will be due by time alone.
    pub fn next_tick_ns(&self) -> Option<u64> {
        if self.draining {
            return None;
        }
        let expiry = self.next_expiry().map(|(_, at_ns)| at_ns);
        [expiry, self.next_retry_ns(), self.next_decision_ns()].into_iter().flatten().min()
    }

    /// Takes no further request: rejects those that wait and come, reclaims idle instances,
    /// and the others as soon as they have served or are made.
    pub fn drain(&mut self, now_ns: u64, actions: &mut Vec<Action>) {
        self.advance(now_ns, actions);
        self.draining = true;
        while let Some(ticket) = self.waiting.pop_front() {
            actions.push(Action::Reject { ticket, why: Rejection::Draining });
        }
        self.settle(actions);
    }

    /// Whether the pool takes no further request and no instance is left, nor on its way.
    pub fn is_drained(&self) -> bool {
        self.draining && self.instances.total() == 0
    }

    /// How the pool stands.
    pub fn standing(&self) -> Standing {
        Standing { queued: count(self.waiting.len()), ..self.instances.standing() }
    }

    /// Changes of state since the last call, in order; at most [`EVENT_LIMIT`].
    pub fn take_events(&mut self) -> Vec<PoolEvent> {
        self.instances.events.take()
    }

    /// Nobody will take changes of state: none are kept from here on, nor counted as lost.
    pub fn forget_events(&mut self) {
        self.instances.events.forget();
    }

    /// How many changes of state were not kept since the beginning, because
    /// [`EVENT_LIMIT`] of them had not been taken.
    pub fn lost_events(&self) -> u64 {
        self.instances.events.lost()
    }
}

/// Whole nanoseconds, 500 years at the most.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A number of things that configuration bounds by a `u32`.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
