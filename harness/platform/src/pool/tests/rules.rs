//! Each rule of the pool by itself, to the nanosecond.

use lumos_model::pool::InstanceState::*;

use super::super::events::EVENT_LIMIT;
use super::*;

#[test]
fn first_request_waits_for_a_cold_start_and_second_is_warm() {
    let (mut pool, started) = TestPool::new(config());
    assert_eq!(started, []);
    assert_eq!(pool.arrive(7, 10), [provision(0)]);
    assert_eq!(pool.provisioned(0, 60), [assign(7, 0, true, true)]);
    assert_eq!(pool.served(0, 80), []);
    assert_eq!(pool.arrive(8, 90), [assign(8, 0, false, false)]);
    let expected = [
        (10, 0, Requested),
        (10, 0, Provisioning),
        (60, 0, Ready),
        (60, 0, Busy),
        (80, 0, Idle),
        (90, 0, Busy),
    ];
    assert_eq!(pool.events(), expected);
    assert_eq!(pool.events(), []);
}

#[test]
fn keep_alive_ends_at_its_nanosecond() {
    let mut pool = TestPool::with_used_instances(config(), 1, 5);
    assert_eq!(pool.inner.next_tick_ns(), Some(S + 5));
    assert_eq!(pool.tick(S + 4), []);
    assert_eq!(pool.tick(S + 5), [reclaim(0)]);
    assert_eq!(pool.inner.next_tick_ns(), None);
}

#[test]
fn request_at_the_end_of_the_keep_alive_is_cold_even_without_a_tick() {
    let mut pool = TestPool::with_used_instances(config(), 1, 5);
    assert_eq!(pool.arrive(1, S + 4), [assign(1, 0, false, false)]);
    pool.served(0, S + 4);
    assert_eq!(pool.arrive(2, 2 * S + 4), [reclaim(0), provision(1)]);
}

#[test]
fn keep_alive_of_an_unused_instance_counts_from_readiness() {
    let (mut pool, _) = TestPool::new(config());
    pool.arrive(1, 0);
    assert!(pool.inner.cancel(1, 30, &mut Vec::new()));
    assert_eq!(pool.provisioned(0, 100), []);
    assert_eq!(pool.inner.next_tick_ns(), Some(S + 100));
    assert_eq!(pool.tick(S + 99), []);
    assert_eq!(pool.tick(S + 100), [reclaim(0)]);
}

#[test]
fn most_recently_used_instance_serves_and_the_others_expire() {
    let (mut pool, _) = TestPool::new(config());
    for i in 0..3 {
        pool.arrive(i, 0);
    }
    for i in 0..3 {
        pool.provisioned(i, 10);
    }
    for (instance, at_ns) in [(1, 20), (2, 30), (0, 40)] {
        pool.served(instance, at_ns);
    }
    assert_eq!(pool.arrive(3, 50), [assign(3, 0, false, false)]);
    assert_eq!(pool.arrive(4, 60), [assign(4, 2, false, false)]);
    pool.served(0, 70);
    pool.served(2, 80);
    assert_eq!(pool.arrive(5, 90), [assign(5, 2, false, false)]);
    pool.served(2, 100);
    assert_eq!(pool.tick(S + 20), [reclaim(1)]);
    assert_eq!(pool.tick(S + 70), [reclaim(0)]);
    assert_eq!(pool.tick(S + 99), []);
    assert_eq!(pool.tick(S + 100), [reclaim(2)]);
}

#[test]
fn keep_alive_of_zero_lets_each_instance_serve_once() {
    let zero = PoolConfig { keep_alive: span(0), max_instances: 1, ..config() };
    let (mut pool, _) = TestPool::new(zero);
    assert_eq!(pool.arrive(1, 0), [provision(0)]);
    assert_eq!(pool.arrive(2, 1), []);
    assert_eq!(pool.provisioned(0, 5), [assign(1, 0, true, true)]);
    assert_eq!(pool.served(0, 9), [reclaim(0), provision(1)]);
    assert_eq!(pool.provisioned(1, 12), [assign(2, 1, true, true)]);
    assert_eq!(pool.served(1, 15), [reclaim(1)]);
    assert_eq!(pool.events()[4..6], [(9, 0, Idle), (9, 0, Reclaimed)]);
}

#[test]
fn keep_alive_of_zero_replaces_the_minimum_and_the_reserve() {
    for (min_instances, prewarmed) in [(1, 0), (0, 1)] {
        let zero = PoolConfig { keep_alive: span(0), min_instances, prewarmed, ..config() };
        let (mut pool, started) = TestPool::new(PoolConfig { max_instances: 1, ..zero });
        assert_eq!(started, [provision(0)]);
        assert_eq!(pool.provisioned(0, 5), [], "an unused instance stays");
        assert_eq!(pool.tick(100 * S), []);
        assert_eq!(pool.arrive(1, 100 * S), [assign(1, 0, true, false)]);
        assert_eq!(pool.served(0, 101 * S), [reclaim(0), provision(1)]);
    }
}

#[test]
fn queue_of_zero_admits_only_cold_starts() {
    let none = PoolConfig { queue: 0, max_instances: 2, ..config() };
    let (mut pool, _) = TestPool::new(none);
    assert_eq!(pool.arrive(1, 0), [provision(0)]);
    assert_eq!(pool.arrive(2, 0), [provision(1)]);
    assert_eq!(pool.arrive(3, 0), [reject(3, Rejection::QueueFull)]);
    pool.provisioned(0, 5);
    assert_eq!(pool.arrive(4, 6), [reject(4, Rejection::QueueFull)]);
    assert!(pool.inner.cancel(2, 7, &mut Vec::new()));
    assert_eq!(pool.arrive(5, 8), [], "it waits for the provisioning instance");
    assert_eq!(pool.provisioned(1, 9), [assign(5, 1, true, true)]);
}

#[test]
fn queue_bounds_requests_in_excess_of_provisioning_instances() {
    let two = PoolConfig { queue: 2, max_instances: 1, ..config() };
    let (mut pool, _) = TestPool::new(two);
    assert_eq!(pool.arrive(1, 0), [provision(0)]);
    assert_eq!([pool.arrive(2, 0), pool.arrive(3, 0)].concat(), []);
    assert_eq!(pool.arrive(4, 0), [reject(4, Rejection::QueueFull)]);
    assert_eq!(pool.provisioned(0, 5), [assign(1, 0, true, true)]);
    assert_eq!(pool.arrive(5, 6), [reject(5, Rejection::QueueFull)]);
    assert_eq!(pool.served(0, 7), [assign(2, 0, false, true)]);
    assert_eq!(pool.arrive(6, 8), []);
    assert_eq!(pool.inner.standing().queued, 2);
}

#[test]
fn waiting_request_takes_the_first_idle_instance() {
    let (mut pool, _) = TestPool::new(config());
    pool.arrive(1, 0);
    pool.provisioned(0, 5);
    assert_eq!(pool.arrive(2, 6), [provision(1)]);
    assert_eq!(pool.served(0, 8), [assign(2, 0, false, true)]);
    assert_eq!(pool.arrive(3, 9), [], "instance 1 is provisioning and unclaimed");
    assert_eq!(pool.arrive(4, 9), [provision(2)]);
    assert_eq!(pool.provisioned(1, 10), [assign(3, 1, true, true)]);
}

#[test]
fn cancelled_request_is_not_served_and_assigned_request_cannot_be_cancelled() {
    let (mut pool, _) = TestPool::new(PoolConfig { max_instances: 1, ..config() });
    for ticket in 1..=3 {
        pool.arrive(ticket, 0);
    }
    pool.provisioned(0, 5);
    assert!(!pool.inner.cancel(1, 6, &mut Vec::new()));
    assert!(pool.inner.cancel(2, 6, &mut Vec::new()));
    assert!(!pool.inner.cancel(2, 6, &mut Vec::new()));
    assert_eq!(pool.served(0, 7), [assign(3, 0, false, true)]);
}

#[test]
fn minimum_is_requested_at_the_start_kept_and_replaced() {
    let (mut pool, started) = TestPool::new(PoolConfig { min_instances: 2, ..config() });
    assert_eq!(started, [provision(0), provision(1)]);
    pool.provisioned(0, 3);
    pool.provisioned(1, 4);
    assert_eq!((pool.inner.next_tick_ns(), pool.tick(1000 * S)), (None, vec![]));
    // A third one exceeds the minimum: the one that is idle longest expires.
    let now = 1000 * S;
    assert_eq!(pool.arrive(1, now), [assign(1, 1, true, false)]);
    assert_eq!(pool.arrive(2, now), [assign(2, 0, true, false)]);
    assert_eq!(pool.arrive(3, now), [provision(2)]);
    assert_eq!(pool.provisioned(2, now + 1), [assign(3, 2, true, true)]);
    for (instance, at_ns) in [(2, now + 2), (1, now + 3), (0, now + 4)] {
        pool.served(instance, at_ns);
    }
    assert_eq!(pool.inner.next_tick_ns(), Some(now + S + 2));
    assert_eq!(pool.tick(now + S + 2), [reclaim(2)]);
    assert_eq!((pool.inner.next_tick_ns(), pool.tick(now + 9 * S)), (None, vec![]));
    // One dies and is replaced at once.
    let now = 2000 * S;
    assert_eq!(pool.arrive(4, now), [assign(4, 0, false, false)]);
    assert_eq!(pool.died(0, now + 1), [provision(3)]);
    let standing = pool.inner.standing();
    assert_eq!((standing.made, standing.reclaimed, standing.failed), (3, 1, 1));
}

#[test]
fn taking_from_the_reserve_requests_a_replacement() {
    let (mut pool, started) = TestPool::new(PoolConfig { prewarmed: 1, ..config() });
    assert_eq!(started, [provision(0)]);
    assert_eq!(
        pool.arrive(1, 1),
        [provision(1)],
        "an instance that a request waits for is not a reserve"
    );
    assert_eq!(pool.provisioned(0, 5), [assign(1, 0, true, true)]);
    pool.provisioned(1, 6);
    assert_eq!(pool.arrive(2, 7), [assign(2, 1, true, false), provision(2)]);
    pool.provisioned(2, 8);
    assert_eq!(pool.served(0, 9), []);
    // A used instance is preferred and leaves the reserve unchanged.
    assert_eq!(pool.arrive(3, 10), [assign(3, 0, false, false)]);
    pool.served(0, 11);
    pool.served(1, 12);
    // 0, 1 and the unused 2 are idle. The reserve is one, so the used ones expire.
    assert_eq!(pool.tick(S + 10), []);
    assert_eq!(pool.tick(S + 11), [reclaim(0)]);
    assert_eq!(pool.tick(S + 12), [reclaim(1)]);
    assert_eq!((pool.inner.next_tick_ns(), pool.tick(100 * S)), (None, vec![]));
    assert_eq!(pool.inner.standing().idle, 1);
}

#[test]
fn maximum_bounds_the_minimum_and_the_reserve() {
    let three = PoolConfig { min_instances: 5, prewarmed: 5, max_instances: 3, ..config() };
    let (mut pool, started) = TestPool::new(three);
    assert_eq!(started, [provision(0), provision(1), provision(2)]);
    for i in 0..3 {
        pool.provisioned(i, 1);
    }
    assert_eq!(pool.arrive(1, 2), [assign(1, 2, true, false)]);
}

#[test]
fn maximum_of_zero_rejects_all_requests() {
    let (mut pool, started) =
        TestPool::new(PoolConfig { min_instances: 1, max_instances: 0, ..config() });
    assert_eq!(started, []);
    assert_eq!(pool.arrive(1, 0), [reject(1, Rejection::NoInstance)]);
}

#[test]
fn time_does_not_run_backwards() {
    let (mut pool, _) = TestPool::new(config());
    pool.arrive(1, 100);
    pool.provisioned(0, 90);
    pool.served(0, 80);
    assert!(pool.events().iter().all(|(at_ns, ..)| *at_ns == 100));
    assert_eq!(pool.inner.next_tick_ns(), Some(S + 100));
}

#[test]
fn forgotten_events_are_neither_kept_nor_counted_as_lost() {
    let mut pool = TestPool::with_used_instances(config(), 1, 0);
    pool.inner.forget_events();
    for ticket in 0..EVENT_LIMIT as u64 / 2 + 3 {
        pool.arrive(ticket, 1);
        pool.served(0, 2);
    }
    assert_eq!((pool.inner.lost_events(), pool.events()), (0, vec![]));
}

#[test]
fn events_beyond_the_limit_are_counted_as_lost() {
    let mut pool = TestPool::with_used_instances(config(), 1, 0);
    let had = pool.events().len();
    assert_eq!(had, 5);
    for ticket in 0..EVENT_LIMIT as u64 / 2 + 3 {
        pool.arrive(ticket, 1);
        pool.served(0, 2);
    }
    assert_eq!((pool.inner.lost_events(), pool.events().len()), (6, EVENT_LIMIT));
    pool.arrive(1, 3);
    assert_eq!((pool.events(), pool.inner.lost_events()), (vec![(3, 0, Busy)], 6));
}

#[test]
#[should_panic(expected = "instance 0 is Idle and not Busy")]
fn reporting_an_idle_instance_as_having_served_panics() {
    TestPool::with_used_instances(config(), 1, 0).served(0, 1);
}

#[test]
#[should_panic(expected = "instance 3 does not exist")]
fn reporting_an_unknown_instance_as_provisioned_panics() {
    TestPool::with_used_instances(config(), 1, 0).provisioned(3, 1);
}
