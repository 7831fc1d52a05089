//! Whole histories, compared with results that are known in advance.

use lumos_model::pool::InstanceState::*;

use super::simulator::{Ticks, poisson, run, splitmix};
use super::*;

#[test]
fn three_requests_and_three_instances() {
    let history = run(config(), &[0, 10 * MS, 20 * MS], 50 * MS, |_| 20 * MS, Ticks::Timely);
    let expected = [
        (0, 0, Requested),
        (0, 0, Provisioning),
        (10, 1, Requested),
        (10, 1, Provisioning),
        (20, 2, Requested),
        (20, 2, Provisioning),
        (50, 0, Ready),
        (50, 0, Busy),
        (60, 1, Ready),
        (60, 1, Busy),
        (70, 2, Ready),
        (70, 2, Busy),
        (70, 0, Idle),
        (80, 1, Idle),
        (90, 2, Idle),
        (1070, 0, Reclaimed),
        (1080, 1, Reclaimed),
        (1090, 2, Reclaimed),
    ];
    assert_eq!(history.events, expected.map(|(ms, instance, state)| (ms * MS, instance, state)));
    for (ticket, served) in &history.served {
        assert!(served.fresh && served.waited);
        assert_eq!(served.begin_ns, ticket * 10 * MS + 50 * MS);
    }
}

#[test]
fn three_requests_and_one_instance() {
    let one = PoolConfig { max_instances: 1, ..config() };
    let history = run(one, &[0, 10 * MS, 20 * MS], 50 * MS, |_| 20 * MS, Ticks::Timely);
    let expected = [
        (0, Requested),
        (0, Provisioning),
        (50, Ready),
        (50, Busy),
        (70, Idle),
        (70, Busy),
        (90, Idle),
        (90, Busy),
        (110, Idle),
        (1110, Reclaimed),
    ];
    assert_eq!(history.events, expected.map(|(ms, state)| (ms * MS, 0, state)));
    assert_eq!(history.cold(), 1);
}

#[test]
fn keep_alive_determines_the_share_of_cold_starts() {
    // A request every 100 ms; a cold start takes 5 ms, an invocation 10 ms. An instance is idle
    // for 85 ms before the next request after a cold start, and for 90 ms after a warm one.
    let arrivals: Vec<u64> = (0..100).map(|i| i * 100 * MS).collect();
    let cases = [(85 * MS, 100), (85 * MS + 1, 50), (90 * MS, 50), (90 * MS + 1, 1)];
    for (keep_alive_ns, cold) in cases {
        for ticks in [Ticks::Timely, Ticks::Never] {
            let config = PoolConfig { keep_alive: span(keep_alive_ns), ..config() };
            let history = run(config, &arrivals, 5 * MS, |_| 10 * MS, ticks);
            assert_eq!((history.served.len(), history.cold()), (100, cold), "{keep_alive_ns}");
        }
    }
}

/// A service time between 1 and 20 ms that depends on the request alone.
fn service_ns(ticket: Ticket) -> u64 {
    MS + splitmix(&mut { ticket }) % (19 * MS)
}

#[test]
fn one_instance_behaves_like_a_single_server_queue_with_set_up_times() {
    let arrivals = poisson(2000, 15.0 * MS as f64, 1);
    let keep_alive_ns = 5 * MS;
    let one =
        PoolConfig { keep_alive: span(keep_alive_ns), max_instances: 1, queue: 2000, ..config() };
    let history = run(one, &arrivals, 7 * MS, service_ns, Ticks::Timely);
    let mut free_ns = None;
    let mut cold = 0;
    for (ticket, arrival_ns) in (0..).zip(&arrivals) {
        let warm_ns = free_ns.filter(|free_ns| *arrival_ns < free_ns + keep_alive_ns);
        let begin_ns = warm_ns.map_or(arrival_ns + 7 * MS, |free_ns| free_ns.max(*arrival_ns));
        let served = history.served[&ticket];
        assert_eq!((served.begin_ns, served.fresh), (begin_ns, warm_ns.is_none()), "{ticket}");
        cold += usize::from(warm_ns.is_none());
        free_ns = Some(served.end_ns);
    }
    assert!((100..1900).contains(&cold), "{cold} cold starts do not cover both cases");
}

#[test]
fn fixed_number_of_instances_behaves_like_a_multi_server_queue() {
    let arrivals: Vec<u64> =
        poisson(2000, 3.0 * MS as f64, 2).into_iter().map(|at_ns| at_ns + S).collect();
    let four = PoolConfig { min_instances: 4, max_instances: 4, queue: 2000, ..config() };
    let history = run(four, &arrivals, 50 * MS, service_ns, Ticks::Timely);
    let mut free_ns = [0; 4];
    let mut waited = 0;
    for (ticket, arrival_ns) in (0..).zip(&arrivals) {
        let first = free_ns.iter_mut().min().unwrap();
        let begin_ns = (*first).max(*arrival_ns);
        let served = history.served[&ticket];
        assert_eq!(served.begin_ns, begin_ns, "{ticket}");
        assert_eq!(served.waited, begin_ns > *arrival_ns, "{ticket}");
        waited += usize::from(served.waited);
        *first = served.end_ns;
    }
    assert!((100..1900).contains(&waited), "{waited} waits do not cover both cases");
    assert_eq!(history.events.iter().filter(|(.., state)| *state == Ready).count(), 4);
}

#[test]
fn without_keep_alive_or_limit_each_request_has_its_own_instance() {
    let arrivals = poisson(2000, 2.0 * MS as f64, 3);
    let config = PoolConfig { keep_alive: span(0), max_instances: 10_000, queue: 0, ..config() };
    let history = run(config, &arrivals, 50 * MS, service_ns, Ticks::Timely);
    for (ticket, arrival_ns) in (0..).zip(&arrivals) {
        let served = history.served[&ticket];
        assert_eq!((served.instance, served.begin_ns), (ticket as u32, arrival_ns + 50 * MS));
    }
    let lifetimes_ns: u64 = history
        .events
        .iter()
        .map(|(at_ns, _, state)| match state {
            Ready => at_ns.wrapping_neg(),
            Reclaimed => *at_ns,
            _ => 0,
        })
        .fold(0, u64::wrapping_add);
    assert_eq!(
        lifetimes_ns,
        (0..2000).map(service_ns).sum::<u64>(),
        "an instance exists only while it serves"
    );
}

#[test]
fn full_pool_rejects_the_excess_requests() {
    // Ten requests at once: two get instances, three wait in the queue, five are rejected.
    let config = PoolConfig { max_instances: 2, queue: 3, ..config() };
    let history = run(config, &[S; 10], 50 * MS, |_| 20 * MS, Ticks::Timely);
    assert_eq!(history.served.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(
        history.rejected.values().all(|(at_ns, why)| (*at_ns, *why) == (S, Rejection::QueueFull))
    );
    let ends: Vec<u64> = history.served.values().map(|served| (served.end_ns - S) / MS).collect();
    assert_eq!(ends, [70, 70, 90, 90, 110]);
}

#[test]
fn late_ticks_do_not_change_any_answer() {
    let arrivals = poisson(3000, 9.0 * MS as f64, 4);
    for (prewarmed, min_instances) in [(0, 0), (1, 0), (0, 2), (2, 1)] {
        let config = PoolConfig { keep_alive: span(20 * MS), prewarmed, min_instances, ..config() };
        let [timely, late] = [Ticks::Timely, Ticks::Never]
            .map(|ticks| run(config.clone(), &arrivals, 30 * MS, service_ns, ticks).served);
        if (prewarmed, min_instances) == (0, 0) {
            assert!(timely.values().any(|served| served.fresh && served.instance > 10));
        }
        assert_eq!(timely, late);
    }
}
