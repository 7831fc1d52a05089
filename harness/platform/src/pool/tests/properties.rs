//! Invariants of all histories: a pool is driven at random, and an observer checks each of
//! its answers.

use proptest::prelude::*;

use super::observer::{Known, Observer};
use super::*;

/// An event in the life of a pool. A number selects one of the candidates, modulo their count.
#[derive(Clone, Debug)]
enum Step {
    Arrive,
    Cancel(usize),
    Provisioned(usize),
    ProvisioningFailed(usize),
    Served(usize),
    Died(usize),
    /// Time passes without a call.
    Wait(u64),
    /// Time passes until just before the next tick, when nothing may happen; then the tick.
    Tick,
    /// A tick that is late by this many nanoseconds.
    LateTick(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Arrive),
        1 => any::<usize>().prop_map(Step::Cancel),
        4 => any::<usize>().prop_map(Step::Provisioned),
        1 => any::<usize>().prop_map(Step::ProvisioningFailed),
        5 => any::<usize>().prop_map(Step::Served),
        1 => any::<usize>().prop_map(Step::Died),
        2 => (0..3 * S).prop_map(Step::Wait),
        3 => Just(Step::Tick),
        1 => (0..30 * S).prop_map(Step::LateTick),
    ]
}

fn configs() -> impl Strategy<Value = PoolConfig> {
    let keep_alive = prop_oneof![Just(0), Just(1), 0..4 * S];
    let scaling = prop_oneof![
        Just(Scaling::Immediate),
        (0..30 * S, 0..150_u32).prop_map(|(window_ns, utilization)| window(window_ns, utilization)),
    ];
    (keep_alive, 0..3_u32, 0..6_u32, 0..3_u32, 0..5_u32, scaling).prop_map(
        |(keep_alive, min_instances, max_instances, prewarmed, queue, scaling)| PoolConfig {
            keep_alive: span(keep_alive),
            min_instances,
            max_instances,
            prewarmed,
            queue,
            scaling,
        },
    )
}

impl Observer {
    fn step(&mut self, step: &Step) {
        match *step {
            Step::Arrive => self.arrive(),
            Step::Cancel(choice) => {
                if self.tickets > 0 {
                    self.cancel(choice as u64 % self.tickets);
                }
            }
            Step::Provisioned(choice) => {
                if let Some(instance) = self.choose(choice, Known::Provisioning) {
                    self.provisioned(instance);
                }
            }
            Step::ProvisioningFailed(choice) => {
                if let Some(instance) = self.choose(choice, Known::Provisioning) {
                    self.provisioning_failed(instance);
                }
            }
            Step::Served(choice) => {
                if let Some(instance) = self.choose(choice, Known::Busy) {
                    self.served(instance);
                }
            }
            Step::Died(choice) => {
                if let Some(instance) = self.choose(choice, Known::Busy) {
                    self.died(instance);
                }
            }
            Step::Wait(ns) => self.now_ns += ns,
            Step::Tick => self.tick(),
            Step::LateTick(late_ns) => {
                self.now_ns = self.now_ns.max(self.pool.next_tick_ns().unwrap_or(0)) + late_ns;
                self.catch_up();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_obeys_the_rules(
        config in configs(),
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut observer = Observer::new(config);
        for step in &steps {
            observer.step(step);
        }
        observer.end();
    }
}
