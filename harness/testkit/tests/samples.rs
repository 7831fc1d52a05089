//! The samples of a cell, to the nanosecond.

use std::collections::BTreeMap;
use std::time::Duration;

use lumos_host::{Backend, EngineBackend, PreparedCell};
use lumos_model::cell::{Isolation, Start};
use lumos_model::counters::Counter;
use lumos_model::phase::{Phase, Phases};
use lumos_model::protocol::{BlockResult, Limits, Prepare};
use lumos_model::row::{Outcome, Sample};
use lumos_model::units::Span;
use lumos_runtime::sample::Output;
use lumos_testkit::mock::{Act, Costs, Event, MockEngine, Script, SimulatedClock};

const COSTS: Costs = Costs {
    load: Duration::from_nanos(1_000_003),
    compile: Duration::from_nanos(5_000_011),
    instantiate: Duration::from_nanos(70_001),
    teardown: Duration::from_nanos(9_001),
    request: Duration::from_nanos(503),
    response: Duration::from_nanos(307),
    other: Duration::from_nanos(101),
};
const COMPUTE: Duration = Duration::from_nanos(20_011);
const WARM_NS: u64 = 503 + 307 + 101 + 20_011;

/// A clock, an engine, and the description of a cell.
struct Fixture {
    clock: SimulatedClock,
    engine: MockEngine,
    prepare: Prepare,
}

impl Fixture {
    fn new(start: Start, script: Script) -> Self {
        let clock = SimulatedClock::new();
        let engine = MockEngine::new(&clock).with("f", script.costs(COSTS));
        let prepare = Prepare {
            target: "mock-interp".parse().unwrap(),
            artifact: "f".into(),
            isolation: Isolation::Thread,
            start,
            limits: Limits::default(),
            env: BTreeMap::new(),
            folder: None,
            request: "{}".to_owned(),
            warmup: 1,
            gap: Span(Duration::from_millis(100)),
            cgroup: None,
        };
        Self { clock, engine, prepare }
    }

    fn cell(&self) -> (PreparedCell, Vec<Sample>) {
        self.cell_with(self.prepare.clone())
    }

    fn cell_with(&self, prepare: Prepare) -> (PreparedCell, Vec<Sample>) {
        let no_host = "/nonexistent".into();
        EngineBackend::new(self.engine.clone(), no_host).prepare(prepare, None).unwrap()
    }

    fn count(&self, event: impl Fn(Event) -> bool) -> usize {
        self.engine.events().into_iter().filter(|(_, e)| event(*e)).count()
    }

    fn created(&self) -> usize {
        self.count(|event| matches!(event, Event::Created(_)))
    }

    fn invoked(&self) -> usize {
        self.count(|event| matches!(event, Event::Invoked(_)))
    }
}

fn block(cell: &mut PreparedCell, samples: u32) -> BlockResult {
    cell.block(samples, Output::Hashed, None)
}

fn script() -> Script {
    Script::default().otherwise(Act::answer("{}").taking(COMPUTE))
}

fn phases(of: &[(Phase, u64)]) -> Phases {
    let mut phases = Phases::default();
    of.iter().for_each(|(phase, ns)| phases.add(*phase, *ns));
    phases
}

const SERVED: [(Phase, u64); 4] =
    [(Phase::Request, 503), (Phase::Response, 307), (Phase::Compute, 20_011), (Phase::Other, 101)];

fn outcomes(samples: &[Sample]) -> Vec<(Start, Outcome)> {
    samples.iter().map(|sample| (sample.start_kind, sample.outcome)).collect()
}

#[test]
fn a_warm_sample_has_the_phases_of_the_invocation_only() {
    let fixture = Fixture::new(Start::Warm, script());
    let _entered = fixture.clock.enter();
    let (mut cell, warmup) = fixture.cell();
    assert_eq!(outcomes(&warmup), [(Start::ColdInstance, Outcome::Ok)]);
    let block = cell.block(3, Output::Kept, None);
    for (seq, sample) in block.samples.iter().enumerate() {
        assert_eq!(sample.seq as usize, seq);
        assert_eq!((sample.start_kind, sample.outcome), (Start::Warm, Outcome::Ok));
        assert_eq!(sample.total_ns, WARM_NS);
        assert_eq!(sample.phases_ns, phases(&SERVED));
        assert_eq!(sample.cpu_ns, Some(WARM_NS));
        assert_eq!((sample.teardown_ns, sample.gap_ns), (None, None));
        assert_eq!(sample.output.as_deref(), Some("{}"));
    }
    assert_eq!(block.host.get(Counter::Cpu).unwrap(), 3 * WARM_NS);
    assert_eq!((fixture.created(), fixture.invoked()), (1, 4));
}

#[test]
fn a_cold_instance_adds_instantiation_and_a_cold_module_adds_loading() {
    let loading = [(Phase::Load, 1_000_003), (Phase::Compile, 5_000_011)];
    let making = [(Phase::Instantiate, 70_001)];
    let cases: [(Start, Vec<(Phase, u64)>); 2] = [
        (Start::ColdInstance, [&SERVED[..], &making].concat()),
        (Start::ColdModule, [&SERVED[..], &making, &loading].concat()),
    ];
    for (start, expected) in cases {
        let fixture = Fixture::new(start, script());
        let _entered = fixture.clock.enter();
        let (mut cell, warmup) = fixture.cell();
        assert_eq!(warmup, []);
        let prepared_ns = fixture.clock.now_ns();
        let samples = block(&mut cell, 2).samples;
        for sample in &samples {
            assert_eq!((sample.start_kind, sample.outcome), (start, Outcome::Ok));
            assert_eq!(sample.phases_ns, phases(&expected));
            assert_eq!(sample.phases_ns.total(), sample.total_ns);
            assert_eq!((sample.teardown_ns, sample.gap_ns), (Some(9_001), Some(100_000_000)));
            assert_eq!(sample.cpu_ns, Some(sample.total_ns));
        }
        assert_eq!(samples[0].intended_ns, prepared_ns + 100_000_000);
        let apart_ns = samples[1].intended_ns - samples[0].intended_ns;
        assert_eq!(apart_ns, samples[0].total_ns + 9_001 + 100_000_000);
        assert_eq!(fixture.engine.instances(), 0);
    }
}

#[test]
fn waiting_takes_no_cpu_time() {
    let wait = Duration::from_millis(7);
    let fixture = Fixture::new(Start::Warm, script().otherwise(Act::answer("").waiting(wait)));
    let _entered = fixture.clock.enter();
    let (mut cell, _) = fixture.cell();
    let sample = block(&mut cell, 1).samples.remove(0);
    assert_eq!(sample.phases_ns.get(Phase::IoRead), 7_000_000);
    assert_eq!(sample.total_ns - sample.cpu_ns.unwrap(), 7_000_000);
}

#[test]
fn an_instance_is_warmed_up_as_configured_and_at_least_once() {
    for (warmup, expected) in [(0, 1), (1, 1), (5, 5)] {
        let mut fixture = Fixture::new(Start::Warm, script());
        fixture.prepare.warmup = warmup;
        let _entered = fixture.clock.enter();
        let (_cell, samples) = fixture.cell();
        assert_eq!((samples.len(), fixture.invoked()), (expected, expected));
        assert_eq!(samples[0].start_kind, Start::ColdInstance);
        assert!(samples[1..].iter().all(|sample| sample.start_kind == Start::Warm));
    }
}

#[test]
fn after_a_failure_a_new_instance_is_warmed_up() {
    let failures = [
        (Act::trap("unreachable"), Outcome::Trap),
        (Act::out_of_memory("no more"), Outcome::OutOfMemory),
        (Act::hang(), Outcome::Timeout),
    ];
    for (failure, outcome) in failures {
        let script = script().then(Act::default()).then(Act::default()).then(failure);
        let mut fixture = Fixture::new(Start::Warm, script);
        fixture.prepare.warmup = 2;
        let _entered = fixture.clock.enter();
        let (mut cell, _) = fixture.cell();
        let samples = block(&mut cell, 3).samples;
        let (failed, warm) = ((Start::Warm, outcome), (Start::Warm, Outcome::Ok));
        assert_eq!(outcomes(&samples), [failed, warm, warm]);
        assert_eq!(samples[0].teardown_ns, Some(9_001));
        assert!(samples[0].error.is_some());
        // Two warm-ups of two, and three samples.
        assert_eq!((fixture.created(), fixture.invoked(), fixture.engine.instances()), (2, 7, 1));
    }
}

#[test]
fn an_error_of_the_function_leaves_the_instance() {
    let fixture = Fixture::new(Start::Warm, script().then(Act::default()).then(Act::error("no")));
    let _entered = fixture.clock.enter();
    let (mut cell, _) = fixture.cell();
    let samples = block(&mut cell, 2).samples;
    assert_eq!(outcomes(&samples), [(Start::Warm, Outcome::Error), (Start::Warm, Outcome::Ok)]);
    assert_eq!(fixture.created(), 1);
}

#[test]
fn a_sample_after_a_failed_warm_up_has_the_wrong_start() {
    let trap = || Act::trap("unreachable");
    let script = script().then(Act::default()).then(trap()).then(trap());
    let fixture = Fixture::new(Start::Warm, script);
    let _entered = fixture.clock.enter();
    let (mut cell, _) = fixture.cell();
    let samples = block(&mut cell, 3).samples;
    let expected = [
        (Start::Warm, Outcome::Trap),
        (Start::ColdInstance, Outcome::WrongStart),
        (Start::Warm, Outcome::Ok),
    ];
    assert_eq!(outcomes(&samples), expected);
    let error = samples[1].error.as_deref();
    assert_eq!(error, Some("a warm start was asked for, and it was cold:instance"));
    assert!(samples[1].output_sha256.is_some(), "the request was served");
}

#[test]
fn a_budget_ends_a_block_after_the_sample_that_spends_it() {
    let mut fixture = Fixture::new(Start::Warm, script());
    fixture.prepare.gap = Span(Duration::ZERO);
    let _entered = fixture.clock.enter();
    let (mut cell, _) = fixture.cell();
    let mut taken = |budget_ns| {
        cell.block(100, Output::Hashed, Some(Duration::from_nanos(budget_ns))).samples.len() as u64
    };
    assert_eq!(taken(0), 1, "the first sample is always taken");
    assert_eq!(taken(1), 1);
    assert_eq!(taken(WARM_NS), 1);
    assert_eq!(taken(WARM_NS + 1), 2);
    assert_eq!(taken(7 * WARM_NS), 7);
    assert_eq!(taken(7 * WARM_NS + 1), 8);
}

#[test]
fn gaps_and_teardowns_count_towards_the_budget() {
    let fixture = Fixture::new(Start::ColdInstance, script());
    let _entered = fixture.clock.enter();
    let (mut cell, _) = fixture.cell();
    let each_ns = 100_000_000 + 70_001 + WARM_NS + 9_001;
    let mut taken =
        |ns| cell.block(100, Output::Hashed, Some(Duration::from_nanos(ns))).samples.len() as u64;
    assert_eq!(taken(3 * each_ns), 3);
    assert_eq!(taken(3 * each_ns + 1), 4);
}

#[test]
fn a_cold_start_counts_towards_the_time_limit() {
    let cold_ns = 70_001 + WARM_NS;
    for (limit_ns, outcome) in [(cold_ns, Outcome::Ok), (cold_ns - 1, Outcome::Timeout)] {
        let mut fixture = Fixture::new(Start::ColdInstance, script());
        fixture.prepare.limits.timeout = Span(Duration::from_nanos(limit_ns));
        let _entered = fixture.clock.enter();
        let (mut cell, _) = fixture.cell();
        let samples = block(&mut cell, 1).samples;
        assert_eq!(outcomes(&samples), [(Start::ColdInstance, outcome)]);
        assert_eq!(samples[0].total_ns, limit_ns, "it is stopped at the limit");
    }
}

#[test]
fn an_error_at_the_time_limit_is_a_timeout() {
    let wait = Duration::from_secs(1) - Duration::from_nanos(503 + 307 + 101);
    let late = Act::error("gave up").waiting(wait);
    let mut fixture = Fixture::new(Start::Warm, script().then(Act::default()).then(late));
    fixture.prepare.limits.timeout = Span(Duration::from_secs(1));
    let _entered = fixture.clock.enter();
    let (mut cell, _) = fixture.cell();
    assert_eq!(outcomes(&block(&mut cell, 1).samples), [(Start::Warm, Outcome::Timeout)]);
}

#[test]
fn memory_is_read_after_the_invocation() {
    let script = script().memory(1 << 20).otherwise(Act::answer("").growing(64 << 10));
    let fixture = Fixture::new(Start::Warm, script);
    let _entered = fixture.clock.enter();
    let (mut cell, _) = fixture.cell();
    let block = block(&mut cell, 2);
    let sizes: Vec<_> = block.samples.iter().filter_map(|s| s.linear_memory_bytes).collect();
    assert_eq!(sizes, [(1 << 20) + 2 * (64 << 10), (1 << 20) + 3 * (64 << 10)]);
}

#[test]
fn an_instance_that_cannot_be_created_makes_a_failed_sample() {
    let fixture = Fixture::new(Start::ColdInstance, script().max_instances(1));
    let _entered = fixture.clock.enter();
    let (mut cell, _) = fixture.cell();
    let (mut other, warmup) =
        fixture.cell_with(Prepare { start: Start::Warm, ..fixture.prepare.clone() });
    assert_eq!(outcomes(&warmup), [(Start::ColdInstance, Outcome::Ok)]);
    let sample = block(&mut cell, 1).samples.remove(0);
    assert_eq!(sample.outcome, Outcome::Error);
    assert_eq!(sample.error.as_deref(), Some("there is no room for another instance"));
    assert_eq!(sample.total_ns, 70_001);
    assert_eq!(outcomes(&block(&mut other, 1).samples), [(Start::Warm, Outcome::Ok)]);
}

#[test]
fn events_are_recorded_in_order_with_their_times() {
    let fixture = Fixture::new(Start::ColdInstance, script());
    let begin_ns = fixture.clock.now_ns();
    let _entered = fixture.clock.enter();
    let (mut cell, _) = fixture.cell();
    block(&mut cell, 1);
    drop(cell);
    let events: Vec<_> =
        fixture.engine.events().into_iter().map(|(ns, event)| (ns - begin_ns, event)).collect();
    let loaded = 1_000_003 + 5_000_011;
    let resident = loaded + 70_001 + 9_001;
    let created = resident + 100_000_000 + 70_001;
    let freed = created + WARM_NS + 9_001;
    let expected = [
        (loaded, Event::Loaded),
        (loaded + 70_001, Event::Created(0)),
        (resident, Event::Freed(0)),
        (created, Event::Created(1)),
        (created, Event::Invoked(1)),
        (freed, Event::Freed(1)),
        (freed, Event::Unloaded),
    ];
    assert_eq!(events, expected);
}
