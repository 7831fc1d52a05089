//! Failures, deaths and draining, each by itself, to the nanosecond.

use lumos_model::pool::InstanceState::*;

use super::*;

#[test]
fn failed_provisioning_rejects_the_oldest_waiting_request() {
    let (mut pool, _) = TestPool::new(PoolConfig { max_instances: 1, ..config() });
    for ticket in 1..=3 {
        pool.arrive(ticket, 0);
    }
    assert_eq!(pool.failed(0, 5), [reject(1, Rejection::NoInstance), provision(1)]);
    assert_eq!(pool.failed(1, 9), [reject(2, Rejection::NoInstance), provision(2)]);
    assert_eq!(pool.failed(2, 12), [reject(3, Rejection::NoInstance)]);
    assert_eq!(pool.inner.next_tick_ns(), None);
    assert_eq!(pool.inner.standing().failed, 3);
    assert_eq!(pool.arrive(4, 13), [provision(3)], "each request gets its own attempt");
    assert_eq!(pool.events()[..3], [(0, 0, Requested), (0, 0, Provisioning), (5, 0, Failed)]);
}

#[test]
fn minimum_and_reserve_are_retried_with_growing_delays() {
    for (min_instances, prewarmed) in [(2, 0), (0, 2)] {
        let (mut pool, _) = TestPool::new(PoolConfig { min_instances, prewarmed, ..config() });
        let mut now = 7;
        let mut instance = 0;
        for wait_s in [1, 2, 4, 8, 16, 30, 30] {
            // Both fail. The second failure belongs to the same attempt.
            assert_eq!(pool.failed(instance, now), []);
            assert_eq!(pool.failed(instance + 1, now + 1), []);
            let due = now + wait_s * S;
            assert_eq!(pool.inner.next_tick_ns(), Some(due));
            assert_eq!(pool.tick(due - 1), []);
            instance += 2;
            assert_eq!(pool.tick(due), [provision(instance), provision(instance + 1)]);
            assert_eq!(pool.inner.next_tick_ns(), None);
            now = due + 3;
        }
        // A success resets the delay.
        assert_eq!(pool.failed(instance, now), []);
        assert_eq!(pool.provisioned(instance + 1, now + 1), [provision(instance + 2)]);
        assert_eq!(pool.failed(instance + 2, now + 2), []);
        assert_eq!(pool.inner.next_tick_ns(), Some(now + 2 + S));
    }
}

#[test]
fn requests_do_not_wait_for_the_retry_of_the_reserve() {
    let (mut pool, _) = TestPool::new(PoolConfig { prewarmed: 1, ..config() });
    assert_eq!(pool.failed(0, 5), []);
    assert_eq!(pool.arrive(1, 6), [provision(1)]);
    assert_eq!(pool.tick(S + 5), [provision(2)]);
    assert_eq!(pool.provisioned(1, S + 6), [assign(1, 1, true, true)]);
}

#[test]
fn dead_instance_is_replaced_for_a_waiting_request() {
    let (mut pool, _) = TestPool::new(PoolConfig { max_instances: 1, ..config() });
    pool.arrive(1, 0);
    pool.provisioned(0, 1);
    pool.arrive(2, 2);
    assert_eq!(pool.died(0, 3), [provision(1)]);
    assert_eq!(pool.provisioned(1, 4), [assign(2, 1, true, true)]);
    assert_eq!(pool.died(1, 5), []);
    let standing = pool.inner.standing();
    assert_eq!((standing.made, standing.failed, standing.idle, standing.busy), (2, 2, 0, 0));
}

#[test]
fn idle_instance_may_be_reported_dead() {
    let mut pool = TestPool::with_used_instances(config(), 2, 1);
    assert_eq!(pool.died(1, 2), []);
    assert_eq!(pool.arrive(9, 3), [assign(9, 0, false, false)]);
}

#[test]
fn draining_ends_all_instances_and_rejects_all_requests() {
    let (mut pool, _) =
        TestPool::new(PoolConfig { min_instances: 3, max_instances: 3, ..config() });
    pool.provisioned(0, 1);
    pool.provisioned(1, 1);
    for ticket in 1..=4 {
        pool.arrive(ticket, 2);
    }
    pool.served(1, 3); // serves 3 now; 4 waits for the provisioning instance
    pool.served(0, 3); // serves 4 now
    pool.arrive(5, 4);
    assert_eq!(pool.drain(5), [reject(5, Rejection::Draining)]);
    assert_eq!(pool.arrive(6, 6), [reject(6, Rejection::Draining)]);
    assert_eq!(pool.inner.next_tick_ns(), None);
    assert_eq!(pool.served(0, 7), [reclaim(0)]);
    assert_eq!(pool.died(1, 8), []);
    assert!(!pool.inner.is_drained());
    assert_eq!(pool.provisioned(2, 9), [reclaim(2)]);
    assert!(pool.inner.is_drained());
    assert_eq!((pool.tick(100 * S), pool.drain(101 * S)), (vec![], vec![]));
    assert_eq!(pool.inner.standing().made, 3);
}

#[test]
fn draining_reclaims_idle_instances_at_once() {
    let mut pool = TestPool::with_used_instances(config(), 2, 1);
    assert!(!pool.inner.is_drained());
    assert_eq!(pool.drain(2), [reclaim(0), reclaim(1)]);
    assert!(pool.inner.is_drained());
}
