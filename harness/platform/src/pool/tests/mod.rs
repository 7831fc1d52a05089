//! Tests of the pool: each rule by itself, whole histories, and what holds in all of them.

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

use super::{Action, InstanceId, Pool, Rejection, Ticket};

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
struct Stage(Pool);

impl Stage {
    /// Started at zero, with these first actions.
    fn new(config: PoolConfig) -> (Self, Vec<Action>) {
        let mut stage = Self(Pool::new(config));
        let actions = stage.does(|pool, actions| pool.start(0, actions));
        (stage, actions)
    }

    fn does(&mut self, call: impl FnOnce(&mut Pool, &mut Vec<Action>)) -> Vec<Action> {
        let mut actions = Vec::new();
        call(&mut self.0, &mut actions);
        actions
    }

    fn arrive(&mut self, ticket: Ticket, at_ns: u64) -> Vec<Action> {
        self.does(|pool, actions| pool.arrive(ticket, at_ns, actions))
    }

    fn provisioned(&mut self, instance: InstanceId, at_ns: u64) -> Vec<Action> {
        self.does(|pool, actions| pool.provisioned(instance, at_ns, actions))
    }

    fn failed(&mut self, instance: InstanceId, at_ns: u64) -> Vec<Action> {
        self.does(|pool, actions| pool.provisioning_failed(instance, at_ns, actions))
    }

    fn served(&mut self, instance: InstanceId, at_ns: u64) -> Vec<Action> {
        self.does(|pool, actions| pool.served(instance, true, at_ns, actions))
    }

    fn died(&mut self, instance: InstanceId, at_ns: u64) -> Vec<Action> {
        self.does(|pool, actions| pool.served(instance, false, at_ns, actions))
    }

    fn tick(&mut self, at_ns: u64) -> Vec<Action> {
        self.does(|pool, actions| pool.tick(at_ns, actions))
    }

    fn drain(&mut self, at_ns: u64) -> Vec<Action> {
        self.does(|pool, actions| pool.drain(at_ns, actions))
    }

    /// Makes instances `0..n` at `at_ns` and lets each serve once, `0` first.
    fn used(config: PoolConfig, n: u32, at_ns: u64) -> Self {
        let (mut stage, _) = Self::new(config);
        for i in 0..n {
            stage.arrive(u64::from(i), at_ns);
        }
        for i in 0..n {
            assert_eq!(stage.provisioned(i, at_ns), [assign(u64::from(i), i, true, true)]);
        }
        for i in 0..n {
            assert_eq!(stage.served(i, at_ns), []);
        }
        stage
    }

    fn events(&mut self) -> Vec<(u64, InstanceId, InstanceState)> {
        self.0.take_events().iter().map(|e| (e.at_ns, e.instance, e.state)).collect()
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
