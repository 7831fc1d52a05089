//! Tests of the pool: each rule by itself, whole histories, and invariants of all histories.

mod endings;
mod observer;
mod properties;
mod rules;
mod simulation;
mod simulator;
mod window;

use std::time::Duration;

use lumos_model::pool::{InstanceState, PoolConfig, Scaling};
use lumos_model::units::Span;

use super::action::{Action, InstanceId, Rejection, Ticket};
use super::state::Pool;

const MS: u64 = 1_000_000;
const S: u64 = 1_000_000_000;

fn span(ns: u64) -> Span {
    Span(Duration::from_nanos(ns))
}

/// A configuration with a keep-alive of one second and room for four instances.
fn config() -> PoolConfig {
    PoolConfig { keep_alive: span(S), max_instances: 4, queue: 8, ..PoolConfig::default() }
}

fn window(window_ns: u64, utilization: u32) -> Scaling {
    Scaling::Window { window: span(window_ns), utilization }
}

/// A pool whose calls return their actions.
struct TestPool {
    inner: Pool,
}

impl TestPool {
    /// Started at time zero; returns the first actions too.
    fn new(config: PoolConfig) -> (Self, Vec<Action>) {
        let mut pool = Self { inner: Pool::new(config) };
        let actions = pool.call(|pool, actions| pool.start(0, actions));
        (pool, actions)
    }

    fn call(&mut self, call: impl FnOnce(&mut Pool, &mut Vec<Action>)) -> Vec<Action> {
        let mut actions = Vec::new();
        call(&mut self.inner, &mut actions);
        actions
    }

    fn arrive(&mut self, ticket: Ticket, at_ns: u64) -> Vec<Action> {
        self.call(|pool, actions| pool.arrive(ticket, at_ns, actions))
    }

    fn provisioned(&mut self, instance: InstanceId, at_ns: u64) -> Vec<Action> {
        self.call(|pool, actions| pool.provisioned(instance, at_ns, actions))
    }

    fn failed(&mut self, instance: InstanceId, at_ns: u64) -> Vec<Action> {
        self.call(|pool, actions| pool.provisioning_failed(instance, at_ns, actions))
    }

    fn served(&mut self, instance: InstanceId, at_ns: u64) -> Vec<Action> {
        self.call(|pool, actions| pool.served(instance, true, at_ns, actions))
    }

    fn died(&mut self, instance: InstanceId, at_ns: u64) -> Vec<Action> {
        self.call(|pool, actions| pool.served(instance, false, at_ns, actions))
    }

    fn tick(&mut self, at_ns: u64) -> Vec<Action> {
        self.call(|pool, actions| pool.tick(at_ns, actions))
    }

    fn drain(&mut self, at_ns: u64) -> Vec<Action> {
        self.call(|pool, actions| pool.drain(at_ns, actions))
    }

    /// With instances `0..n`, provisioned at `at_ns`, each of which has served once, `0` first.
    fn with_used_instances(config: PoolConfig, n: u32, at_ns: u64) -> Self {
        let (mut pool, _) = Self::new(config);
        for i in 0..n {
            pool.arrive(u64::from(i), at_ns);
        }
        for i in 0..n {
            assert_eq!(pool.provisioned(i, at_ns), [assign(u64::from(i), i, true, true)]);
        }
        for i in 0..n {
            assert_eq!(pool.served(i, at_ns), []);
        }
        pool
    }

    fn events(&mut self) -> Vec<(u64, InstanceId, InstanceState)> {
        self.inner.take_events().iter().map(|e| (e.at_ns, e.instance, e.state)).collect()
    }
}

fn provision(instance: InstanceId) -> Action {
    Action::Provision { instance }
}

fn reclaim(instance: InstanceId) -> Action {
    Action::Reclaim { instance }
}

fn assign(ticket: Ticket, instance: InstanceId, fresh: bool, waited: bool) -> Action {
    Action::Assign { ticket, instance, fresh, waited }
}

fn reject(ticket: Ticket, why: Rejection) -> Action {
    Action::Reject { ticket, why }
}
