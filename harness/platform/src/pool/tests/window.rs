//! Window scaling, compared with numbers computed by hand and with a reference model that
//! keeps the whole history.

use proptest::prelude::*;

use super::super::autoscaler::Autoscaler;
use super::super::window::INTERVAL_NS;
use super::*;

/// A window of 20 s and thus a panic window of 2 s; target utilisation 100 %.
fn config_20s() -> PoolConfig {
    PoolConfig { scaling: window(20 * S, 100), max_instances: 100, ..config() }
}

#[test]
fn only_the_first_request_does_not_wait_for_the_window() {
    let scaling = window(60 * S, 70);
    let (mut pool, _) = TestPool::new(PoolConfig { scaling, max_instances: 100, ..config() });
    assert_eq!((pool.inner.next_tick_ns(), pool.tick(300 * MS)), (None, vec![]));
    assert_eq!(pool.arrive(1, 500 * MS), [provision(0)]);
    assert_eq!([pool.arrive(2, 500 * MS), pool.arrive(3, 500 * MS)].concat(), []);
    assert_eq!(pool.inner.next_tick_ns(), Some(2 * S));
    assert_eq!(pool.tick(2 * S - 1), []);
    // The mean since the first request is 3: ceil(3 / 0.7) = 5.
    assert_eq!(pool.tick(2 * S), [1, 2, 3, 4].map(provision));
}

#[test]
fn queue_of_zero_admits_only_the_first_request_of_an_empty_pool() {
    let (mut pool, _) = TestPool::new(PoolConfig { queue: 0, ..config_20s() });
    assert_eq!(pool.arrive(1, 0), [provision(0)]);
    assert_eq!(pool.arrive(2, 0), [reject(2, Rejection::QueueFull)]);
    pool.provisioned(0, 1);
    assert_eq!(pool.arrive(3, 2), [reject(3, Rejection::QueueFull)]);
}

/// Four requests at 0 s cause panic at 2 s. Four instances have served them at 3 s.
fn four_after_panic(keep_alive_ns: u64) -> TestPool {
    let config = PoolConfig { keep_alive: span(keep_alive_ns), ..config_20s() };
    let (mut pool, _) = TestPool::new(config);
    for ticket in 0..4 {
        pool.arrive(ticket, 0);
    }
    pool.provisioned(0, S);
    assert_eq!(pool.tick(2 * S), [1, 2, 3].map(provision));
    for instance in 1..4 {
        pool.provisioned(instance, 2 * S);
    }
    for instance in 0..4 {
        assert_eq!(pool.served(instance, 3 * S), []);
    }
    // Panic lasts one window after the last decision that exceeded the threshold, at 2 s.
    for at_s in (4..=22).step_by(2) {
        assert_eq!(pool.inner.next_tick_ns(), Some(at_s * S));
        assert_eq!(pool.tick(at_s * S), [], "{at_s} s");
    }
    // The stable window is empty. No decision removes more than half of the instances.
    assert_eq!(pool.tick(24 * S), [0, 1].map(reclaim));
    assert_eq!(pool.inner.next_tick_ns(), Some(26 * S));
    assert_eq!(pool.tick(26 * S), [reclaim(2)]);
    assert_eq!(pool.inner.next_tick_ns(), Some(28 * S));
    assert_eq!(pool.tick(28 * S - 1), []);
    pool
}

#[test]
fn pool_halves_after_a_panic_and_then_scales_to_zero() {
    let mut pool = four_after_panic(S);
    assert_eq!(pool.tick(28 * S), [reclaim(3)]);
    assert_eq!((pool.inner.next_tick_ns(), pool.tick(1000 * S)), (None, vec![]));
}

#[test]
fn last_instance_stays_for_the_keep_alive() {
    let mut pool = four_after_panic(60 * S);
    assert_eq!(pool.tick(28 * S), []);
    assert_eq!(pool.inner.next_tick_ns(), Some(63 * S));
    assert_eq!(pool.tick(63 * S - 1), []);
    assert_eq!(pool.tick(63 * S), [reclaim(3)]);
    assert_eq!(pool.inner.next_tick_ns(), None);
}

#[test]
fn keep_alive_shorter_than_the_window_does_not_end_the_last_instance_early() {
    let (mut pool, _) = TestPool::new(PoolConfig { keep_alive: span(10 * MS), ..config_20s() });
    pool.arrive(1, 0);
    pool.provisioned(0, 50 * MS);
    pool.served(0, 100 * MS);
    assert_eq!(pool.tick(S), []);
    // The window that begins at 2 s is the first one without a request.
    assert_eq!(pool.tick(22 * S - 1), []);
    assert_eq!(pool.tick(22 * S), [reclaim(0)]);
}

#[test]
fn minimum_stays_and_causes_no_ticks() {
    let (mut pool, started) = TestPool::new(PoolConfig { min_instances: 3, ..config_20s() });
    assert_eq!(started, [0, 1, 2].map(provision));
    for instance in 0..3 {
        pool.provisioned(instance, 1);
    }
    assert_eq!((pool.inner.next_tick_ns(), pool.tick(1000 * S)), (None, vec![]));
}

#[test]
fn reserve_is_kept_in_addition_to_busy_instances() {
    let (mut pool, started) = TestPool::new(PoolConfig { prewarmed: 1, ..config_20s() });
    assert_eq!(started, [provision(0)]);
    pool.provisioned(0, 1);
    assert_eq!(pool.arrive(1, 2), [assign(1, 0, true, false), provision(1)]);
}

#[test]
fn steady_concurrency_is_divided_by_the_target_utilisation() {
    // One request during three quarters of the time, at 50 %: 1.5 instances.
    let scaling = window(20 * S, 50);
    let config = PoolConfig { scaling, min_instances: 1, max_instances: 9, ..config() };
    let (mut pool, _) = TestPool::new(config);
    pool.provisioned(0, 0);
    let mut made = vec![];
    for at_s in 0..20 {
        made.extend(pool.arrive(at_s, at_s * S));
        made.extend(pool.served(0, at_s * S + 750 * MS));
    }
    made.retain(|action| matches!(action, Action::Provision { .. }));
    assert_eq!(made, [provision(1)]);
}

#[test]
fn averages_begin_with_the_first_request_after_a_scale_to_zero() {
    // Three requests arrive at 101 s. The mean since then is 3; over the stable window from
    // 82 s it is 0.15, and over the panic window from 100 s it is 1.5.
    for (min_instances, wanted) in [(0, 3), (1, 2)] {
        let (mut pool, _) = TestPool::new(PoolConfig { min_instances, ..config_20s() });
        if min_instances == 1 {
            pool.provisioned(0, 1);
        }
        for ticket in 0..3 {
            pool.arrive(ticket, 101 * S);
        }
        let made = pool.tick(102 * S);
        assert_eq!(made, (1..wanted).map(provision).collect::<Vec<_>>());
    }
}

#[test]
fn failed_provisioning_is_not_retried_in_a_loop() {
    let (mut pool, _) = TestPool::new(PoolConfig { queue: 2, ..config_20s() });
    for ticket in 1..=3 {
        pool.arrive(ticket, 0);
    }
    assert_eq!(pool.tick(2 * S), [provision(1), provision(2)]);
    let no = |ticket| reject(ticket, Rejection::NoInstance);
    assert_eq!(pool.failed(0, 2 * S + 1), [no(1)]);
    assert_eq!(pool.failed(1, 2 * S + 2), [no(2)]);
    assert_eq!(pool.failed(2, 2 * S + 3), [no(3)]);
    assert_eq!(pool.inner.next_tick_ns(), Some(3 * S + 1));
    assert_eq!(pool.tick(3 * S + 1), [3, 4, 5].map(provision), "the autoscaler wants three");
    for instance in 3..6 {
        assert_eq!(pool.failed(instance, 3 * S + 2), []);
    }
    assert_eq!(pool.arrive(4, 3 * S + 3), [provision(6)]);
}

#[test]
fn window_of_length_zero_and_utilisation_of_zero_do_not_divide_by_zero() {
    for (scaling, expected) in [(window(0, 100), 2), (window(20 * S, 0), 5)] {
        let (mut pool, _) = TestPool::new(PoolConfig { scaling, max_instances: 5, ..config() });
        pool.arrive(1, 2 * S - 1);
        pool.arrive(2, 2 * S - 1);
        pool.tick(2 * S);
        assert_eq!(pool.inner.standing().provisioning, expected);
    }
}

/// The whole history, and the decisions that Knative's code makes of it.
#[derive(Default)]
struct Reference {
    /// The end of each segment, and the concurrency during it.
    segments: Vec<(u64, u32)>,
    panic_ns: Option<u64>,
    max_panic: u32,
}

impl Reference {
    /// The number of instances that the mean concurrency since `from_ns` wants, rounded up.
    fn wanted(&self, from_ns: u64, to_ns: u64, utilization: u32) -> u32 {
        let mut area = 0_u128;
        let mut begin_ns = 0;
        for (end_ns, concurrency) in &self.segments {
            let overlap = (*end_ns.min(&to_ns)).saturating_sub(begin_ns.max(from_ns));
            area += u128::from(overlap) * u128::from(*concurrency);
            begin_ns = *end_ns;
        }
        (area * 100).div_ceil(u128::from(to_ns - from_ns) * u128::from(utilization)) as u32
    }

    fn decide(&mut self, at_ns: u64, window_ns: u64, utilization: u32, ready: u32) -> u32 {
        let from = |length_ns| at_ns.saturating_sub(length_ns);
        let ready = ready.max(1);
        let stable = self.wanted(from(window_ns), at_ns, utilization);
        let panic = self.wanted(from(window_ns / 10), at_ns, utilization);
        if panic >= 2 * ready {
            self.panic_ns = Some(at_ns);
        } else if self.panic_ns.is_some_and(|panic_ns| panic_ns + window_ns < at_ns) {
            self.panic_ns = None;
            self.max_panic = 0;
        }
        let stable = stable.max(ready / 2);
        if self.panic_ns.is_none() {
            return stable;
        }
        self.max_panic = self.max_panic.max(stable).max(panic).max(ready / 2);
        self.max_panic
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decisions_equal_those_of_the_reference(
        window_ns in 10..40 * S,
        utilization in 1..150_u32,
        segments in prop::collection::vec((0..5 * S, 0..9_u32), 1..40),
        ready in prop::collection::vec(0..9_u32, 100),
    ) {
        let mut autoscaler = Autoscaler::new(window(window_ns, utilization)).unwrap();
        autoscaler.start(0);
        let mut reference = Reference::default();
        let (mut now_ns, mut decisions) = (0, 0);
        for (length_ns, concurrency) in segments {
            now_ns += length_ns;
            reference.segments.push((now_ns, concurrency));
            while autoscaler.pass(now_ns, concurrency) {
                let ready = ready[decisions];
                decisions += 1;
                autoscaler.decide(ready);
                let at_ns = decisions as u64 * INTERVAL_NS;
                let desired = reference.decide(at_ns, window_ns, utilization, ready);
                prop_assert_eq!(autoscaler.desired(), desired, "at {} ns", at_ns);
            }
        }
        prop_assert_eq!(decisions as u64, now_ns / INTERVAL_NS);
    }
}
