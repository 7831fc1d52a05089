//! Each rule of the pool by itself, to the nanosecond.

use lumos_model::pool::InstanceState::*;

use super::super::{EVENT_LIMIT, Rejection};
use super::*;

#[test]
fn the_first_request_waits_for_its_cold_start_and_the_second_finds_it_warm() {
    let (mut stage, started) = Stage::new(config());
    assert_eq!(started, []);
    assert_eq!(stage.arrive(7, 10), [provision(0)]);
    assert_eq!(stage.provisioned(0, 60), [assign(7, 0, true, true)]);
    assert_eq!(stage.served(0, 80), []);
    assert_eq!(stage.arrive(8, 90), [assign(8, 0, false, false)]);
    let expected = [
        (10, 0, Requested),
        (10, 0, Provisioning),
        (60, 0, Ready),
        (60, 0, Busy),
        (80, 0, Idle),
        (90, 0, Busy),
    ];
    assert_eq!(stage.events(), expected);
    assert_eq!(stage.events(), []);
}

#[test]
fn keep_alive_ends_at_its_nanosecond() {
    let mut stage = Stage::used(config(), 1, 5);
    assert_eq!(stage.0.next_tick_ns(), Some(S + 5));
    assert_eq!(stage.tick(S + 4), []);
    assert_eq!(stage.tick(S + 5), [reclaim(0)]);
    assert_eq!(stage.0.next_tick_ns(), None);
}

#[test]
fn a_request_at_the_end_of_the_keep_alive_is_cold_though_no_tick_came() {
    let mut stage = Stage::used(config(), 1, 5);
    assert_eq!(stage.arrive(1, S + 4), [assign(1, 0, false, false)]);
    stage.served(0, S + 4);
    assert_eq!(stage.arrive(2, 2 * S + 4), [reclaim(0), provision(1)]);
}

#[test]
fn keep_alive_of_one_that_never_served_counts_from_readiness() {
    let (mut stage, _) = Stage::new(config());
    stage.arrive(1, 0);
    assert!(stage.0.cancel(1, 30, &mut Vec::new()));
    assert_eq!(stage.provisioned(0, 100), []);
    assert_eq!(stage.0.next_tick_ns(), Some(S + 100));
    assert_eq!(stage.tick(S + 99), []);
    assert_eq!(stage.tick(S + 100), [reclaim(0)]);
}

#[test]
fn the_most_recently_used_serves_and_the_others_age_out() {
    let (mut stage, _) = Stage::new(config());
    for i in 0..3 {
        stage.arrive(i, 0);
    }
    for i in 0..3 {
        stage.provisioned(i, 10);
    }
    for (instance, at_ns) in [(1, 20), (2, 30), (0, 40)] {
        stage.served(instance, at_ns);
    }
    assert_eq!(stage.arrive(3, 50), [assign(3, 0, false, false)]);
    assert_eq!(stage.arrive(4, 60), [assign(4, 2, false, false)]);
    stage.served(0, 70);
    stage.served(2, 80);
    assert_eq!(stage.arrive(5, 90), [assign(5, 2, false, false)]);
    stage.served(2, 100);
    assert_eq!(stage.tick(S + 20), [reclaim(1)]);
    assert_eq!(stage.tick(S + 70), [reclaim(0)]);
    assert_eq!(stage.tick(S + 99), []);
    assert_eq!(stage.tick(S + 100), [reclaim(2)]);
}

#[test]
fn with_a_keep_alive_of_zero_an_instance_serves_once() {
    let zero = PoolConfig { keep_alive: span(0), max_instances: 1, ..config() };
    let (mut stage, _) = Stage::new(zero);
    assert_eq!(stage.arrive(1, 0), [provision(0)]);
    assert_eq!(stage.arrive(2, 1), []);
    assert_eq!(stage.provisioned(0, 5), [assign(1, 0, true, true)]);
    assert_eq!(stage.served(0, 9), [reclaim(0), provision(1)]);
    assert_eq!(stage.provisioned(1, 12), [assign(2, 1, true, true)]);
    assert_eq!(stage.served(1, 15), [reclaim(1)]);
    assert_eq!(stage.events()[4..6], [(9, 0, Idle), (9, 0, Reclaimed)]);
}

#[test]
fn a_keep_alive_of_zero_replaces_the_minimum_and_the_reserve() {
    for (min_instances, prewarmed) in [(1, 0), (0, 1)] {
        let zero = PoolConfig { keep_alive: span(0), min_instances, prewarmed, ..config() };
        let (mut stage, started) = Stage::new(PoolConfig { max_instances: 1, ..zero });
        assert_eq!(started, [provision(0)]);
        assert_eq!(stage.provisioned(0, 5), [], "one that never served stays");
        assert_eq!(stage.tick(100 * S), []);
        assert_eq!(stage.arrive(1, 100 * S), [assign(1, 0, true, false)]);
        assert_eq!(stage.served(0, 101 * S), [reclaim(0), provision(1)]);
    }
}

#[test]
fn a_queue_of_zero_admits_cold_starts_and_nothing_else() {
    let none = PoolConfig { queue: 0, max_instances: 2, ..config() };
    let (mut stage, _) = Stage::new(none);
    assert_eq!(stage.arrive(1, 0), [provision(0)]);
    assert_eq!(stage.arrive(2, 0), [provision(1)]);
    assert_eq!(stage.arrive(3, 0), [reject(3, Rejection::QueueFull)]);
    stage.provisioned(0, 5);
    assert_eq!(stage.arrive(4, 6), [reject(4, Rejection::QueueFull)]);
    assert!(stage.0.cancel(2, 7, &mut Vec::new()));
    assert_eq!(stage.arrive(5, 8), [], "it waits for the instance that is on its way");
    assert_eq!(stage.provisioned(1, 9), [assign(5, 1, true, true)]);
}

#[test]
fn the_queue_counts_those_beyond_the_instances_on_their_way() {
    let two = PoolConfig { queue: 2, max_instances: 1, ..config() };
    let (mut stage, _) = Stage::new(two);
    assert_eq!(stage.arrive(1, 0), [provision(0)]);
    assert_eq!([stage.arrive(2, 0), stage.arrive(3, 0)].concat(), []);
    assert_eq!(stage.arrive(4, 0), [reject(4, Rejection::QueueFull)]);
    assert_eq!(stage.provisioned(0, 5), [assign(1, 0, true, true)]);
    assert_eq!(stage.arrive(5, 6), [reject(5, Rejection::QueueFull)]);
    assert_eq!(stage.served(0, 7), [assign(2, 0, false, true)]);
    assert_eq!(stage.arrive(6, 8), []);
    assert_eq!(stage.0.standing().queued, 2);
}

#[test]
fn a_request_that_waits_takes_the_first_instance_whoever_it_was_made_for() {
    let (mut stage, _) = Stage::new(config());
    stage.arrive(1, 0);
    stage.provisioned(0, 5);
    assert_eq!(stage.arrive(2, 6), [provision(1)]);
    assert_eq!(stage.served(0, 8), [assign(2, 0, false, true)]);
    assert_eq!(stage.arrive(3, 9), [], "one is on its way that nobody waits for");
    assert_eq!(stage.arrive(4, 9), [provision(2)]);
    assert_eq!(stage.provisioned(1, 10), [assign(3, 1, true, true)]);
}

#[test]
fn who_left_is_not_served_and_who_is_served_cannot_be_cancelled() {
    let (mut stage, _) = Stage::new(PoolConfig { max_instances: 1, ..config() });
    for ticket in 1..=3 {
        stage.arrive(ticket, 0);
    }
    stage.provisioned(0, 5);
    assert!(!stage.0.cancel(1, 6, &mut Vec::new()));
    assert!(stage.0.cancel(2, 6, &mut Vec::new()));
    assert!(!stage.0.cancel(2, 6, &mut Vec::new()));
    assert_eq!(stage.served(0, 7), [assign(3, 0, false, true)]);
}

#[test]
fn the_minimum_is_made_at_the_start_kept_and_replaced() {
    let (mut stage, started) = Stage::new(PoolConfig { min_instances: 2, ..config() });
    assert_eq!(started, [provision(0), provision(1)]);
    stage.provisioned(0, 3);
    stage.provisioned(1, 4);
    assert_eq!((stage.0.next_tick_ns(), stage.tick(1000 * S)), (None, vec![]));
    // A third one is beyond the minimum, and the one that is idle for the longest ages out.
    let now = 1000 * S;
    assert_eq!(stage.arrive(1, now), [assign(1, 1, true, false)]);
    assert_eq!(stage.arrive(2, now), [assign(2, 0, true, false)]);
    assert_eq!(stage.arrive(3, now), [provision(2)]);
    assert_eq!(stage.provisioned(2, now + 1), [assign(3, 2, true, true)]);
    for (instance, at_ns) in [(2, now + 2), (1, now + 3), (0, now + 4)] {
        stage.served(instance, at_ns);
    }
    assert_eq!(stage.0.next_tick_ns(), Some(now + S + 2));
    assert_eq!(stage.tick(now + S + 2), [reclaim(2)]);
    assert_eq!((stage.0.next_tick_ns(), stage.tick(now + 9 * S)), (None, vec![]));
    // One dies and is made again at once.
    let now = 2000 * S;
    assert_eq!(stage.arrive(4, now), [assign(4, 0, false, false)]);
    assert_eq!(stage.died(0, now + 1), [provision(3)]);
    let standing = stage.0.standing();
    assert_eq!((standing.made, standing.reclaimed, standing.failed), (3, 1, 1));
}

#[test]
fn who_takes_from_the_reserve_has_a_replacement_made() {
    let (mut stage, started) = Stage::new(PoolConfig { prewarmed: 1, ..config() });
    assert_eq!(started, [provision(0)]);
    assert_eq!(stage.arrive(1, 1), [provision(1)], "what is waited for is no reserve");
    assert_eq!(stage.provisioned(0, 5), [assign(1, 0, true, true)]);
    stage.provisioned(1, 6);
    assert_eq!(stage.arrive(2, 7), [assign(2, 1, true, false), provision(2)]);
    stage.provisioned(2, 8);
    assert_eq!(stage.served(0, 9), []);
    // A used one is preferred, and leaves the reserve as it is.
    assert_eq!(stage.arrive(3, 10), [assign(3, 0, false, false)]);
    stage.served(0, 11);
    stage.served(1, 12);
    // Idle are 0, 1 and the unused 2: the reserve is one, the used ones age.
    assert_eq!(stage.tick(S + 10), []);
    assert_eq!(stage.tick(S + 11), [reclaim(0)]);
    assert_eq!(stage.tick(S + 12), [reclaim(1)]);
    assert_eq!((stage.0.next_tick_ns(), stage.tick(100 * S)), (None, vec![]));
    assert_eq!(stage.0.standing().idle, 1);
}

#[test]
fn the_maximum_bounds_the_minimum_and_the_reserve() {
    let three = PoolConfig { min_instances: 5, prewarmed: 5, max_instances: 3, ..config() };
    let (mut stage, started) = Stage::new(three);
    assert_eq!(started, [provision(0), provision(1), provision(2)]);
    for i in 0..3 {
        stage.provisioned(i, 1);
    }
    assert_eq!(stage.arrive(1, 2), [assign(1, 2, true, false)]);
}

#[test]
fn a_maximum_of_zero_serves_nobody() {
    let (mut stage, started) =
        Stage::new(PoolConfig { min_instances: 1, max_instances: 0, ..config() });
    assert_eq!(started, []);
    assert_eq!(stage.arrive(1, 0), [reject(1, Rejection::NoInstance)]);
}

#[test]
fn time_does_not_run_backwards() {
    let (mut stage, _) = Stage::new(config());
    stage.arrive(1, 100);
    stage.provisioned(0, 90);
    stage.served(0, 80);
    assert!(stage.events().iter().all(|(at_ns, ..)| *at_ns == 100));
    assert_eq!(stage.0.next_tick_ns(), Some(S + 100));
}

#[test]
fn events_that_nobody_takes_are_neither_kept_nor_lost() {
    let mut stage = Stage::used(config(), 1, 0);
    stage.0.forget_events();
    for ticket in 0..EVENT_LIMIT as u64 / 2 + 3 {
        stage.arrive(ticket, 1);
        stage.served(0, 2);
    }
    assert_eq!((stage.0.lost_events(), stage.events()), (0, vec![]));
}

#[test]
fn events_beyond_the_bound_are_counted() {
    let mut stage = Stage::used(config(), 1, 0);
    let had = stage.events().len();
    assert_eq!(had, 5);
    for ticket in 0..EVENT_LIMIT as u64 / 2 + 3 {
        stage.arrive(ticket, 1);
        stage.served(0, 2);
    }
    assert_eq!((stage.0.lost_events(), stage.events().len()), (6, EVENT_LIMIT));
    stage.arrive(1, 3);
    assert_eq!((stage.events(), stage.0.lost_events()), (vec![(3, 0, Busy)], 6));
}

#[test]
#[should_panic(expected = "instance 0 is Idle and not Busy")]
fn an_idle_instance_cannot_have_served() {
    Stage::used(config(), 1, 0).served(0, 1);
}

#[test]
#[should_panic(expected = "instance 3 does not exist")]
fn what_was_never_requested_is_not_made() {
    Stage::used(config(), 1, 0).provisioned(3, 1);
}
