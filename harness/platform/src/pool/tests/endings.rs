//! What fails, dies and is drained, each by itself, to the nanosecond.

use lumos_model::pool::InstanceState::*;

use super::super::Rejection;
use super::*;

#[test]
fn an_instance_that_cannot_be_made_costs_the_oldest_request_its_answer() {
    let (mut stage, _) = Stage::new(PoolConfig { max_instances: 1, ..config() });
    for ticket in 1..=3 {
        stage.arrive(ticket, 0);
    }
    assert_eq!(stage.failed(0, 5), [reject(1, Rejection::NoInstance), provision(1)]);
    assert_eq!(stage.failed(1, 9), [reject(2, Rejection::NoInstance), provision(2)]);
    assert_eq!(stage.failed(2, 12), [reject(3, Rejection::NoInstance)]);
    assert_eq!(stage.0.next_tick_ns(), None);
    assert_eq!(stage.0.standing().failed, 3);
    assert_eq!(stage.arrive(4, 13), [provision(3)], "each request has its try");
    assert_eq!(stage.events()[..3], [(0, 0, Requested), (0, 0, Provisioning), (5, 0, Failed)]);
}

#[test]
fn the_minimum_and_the_reserve_are_tried_again_later_and_later() {
    for (min_instances, prewarmed) in [(2, 0), (0, 2)] {
        let (mut stage, _) = Stage::new(PoolConfig { min_instances, prewarmed, ..config() });
        let mut now = 7;
        let mut instance = 0;
        for wait_s in [1, 2, 4, 8, 16, 30, 30] {
            // Both fail; the second failure is of the same attempt.
            assert_eq!(stage.failed(instance, now), []);
            assert_eq!(stage.failed(instance + 1, now + 1), []);
            let due = now + wait_s * S;
            assert_eq!(stage.0.next_tick_ns(), Some(due));
            assert_eq!(stage.tick(due - 1), []);
            instance += 2;
            assert_eq!(stage.tick(due), [provision(instance), provision(instance + 1)]);
            assert_eq!(stage.0.next_tick_ns(), None);
            now = due + 3;
        }
        // A success ends the wait and begins it anew.
        assert_eq!(stage.failed(instance, now), []);
        assert_eq!(stage.provisioned(instance + 1, now + 1), [provision(instance + 2)]);
        assert_eq!(stage.failed(instance + 2, now + 2), []);
        assert_eq!(stage.0.next_tick_ns(), Some(now + 2 + S));
    }
}

#[test]
fn requests_do_not_wait_for_the_retry_of_the_reserve() {
    let (mut stage, _) = Stage::new(PoolConfig { prewarmed: 1, ..config() });
    assert_eq!(stage.failed(0, 5), []);
    assert_eq!(stage.arrive(1, 6), [provision(1)]);
    assert_eq!(stage.tick(S + 5), [provision(2)]);
    assert_eq!(stage.provisioned(1, S + 6), [assign(1, 1, true, true)]);
}

#[test]
fn a_dead_instance_is_gone_and_who_waits_has_another_made() {
    let (mut stage, _) = Stage::new(PoolConfig { max_instances: 1, ..config() });
    stage.arrive(1, 0);
    stage.provisioned(0, 1);
    stage.arrive(2, 2);
    assert_eq!(stage.died(0, 3), [provision(1)]);
    assert_eq!(stage.provisioned(1, 4), [assign(2, 1, true, true)]);
    assert_eq!(stage.died(1, 5), []);
    let standing = stage.0.standing();
    assert_eq!((standing.made, standing.failed, standing.idle, standing.busy), (2, 2, 0, 0));
}

#[test]
fn an_idle_instance_may_be_found_dead() {
    let mut stage = Stage::used(config(), 2, 1);
    assert_eq!(stage.died(1, 2), []);
    assert_eq!(stage.arrive(9, 3), [assign(9, 0, false, false)]);
}

#[test]
fn draining_ends_all_and_takes_nothing() {
    let (mut stage, _) = Stage::new(PoolConfig { min_instances: 3, max_instances: 3, ..config() });
    stage.provisioned(0, 1);
    stage.provisioned(1, 1);
    for ticket in 1..=4 {
        stage.arrive(ticket, 2);
    }
    stage.served(1, 3); // serves 3 now, and 4 waits for the instance on its way
    stage.served(0, 3); // serves 4 now
    stage.arrive(5, 4);
    assert_eq!(stage.drain(5), [reject(5, Rejection::Draining)]);
    assert_eq!(stage.arrive(6, 6), [reject(6, Rejection::Draining)]);
    assert_eq!(stage.0.next_tick_ns(), None);
    assert_eq!(stage.served(0, 7), [reclaim(0)]);
    assert_eq!(stage.died(1, 8), []);
    assert!(!stage.0.is_drained());
    assert_eq!(stage.provisioned(2, 9), [reclaim(2)]);
    assert!(stage.0.is_drained());
    assert_eq!((stage.tick(100 * S), stage.drain(101 * S)), (vec![], vec![]));
    assert_eq!(stage.0.standing().made, 3);
}

#[test]
fn draining_reclaims_idle_instances_at_once() {
    let mut stage = Stage::used(config(), 2, 1);
    assert!(!stage.0.is_drained());
    assert_eq!(stage.drain(2), [reclaim(0), reclaim(1)]);
    assert!(stage.0.is_drained());
}
