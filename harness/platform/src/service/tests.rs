//! The executor with real threads. The pool's decisions have exact tests of their own. These
//! tests check that each request has one answer and that nothing is left.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use bytes::Bytes;
use lumos_model::capability::Capabilities;
use lumos_model::cell::{Isolation, Start, Target};
use lumos_model::phase::Phase;
use lumos_model::pool::{InstanceState, PoolConfig};
use lumos_model::protocol::{Limits, ModeProof, PROTOCOL, Pooled, Prepare};
use lumos_model::row::Outcome;
use lumos_model::units::Span;
use lumos_model::wire::{GuestPhases, Status, envelope};
use lumos_os::clock::monotonic_ns;
use lumos_runtime::engine::{Engine, Instance, Resident};
use lumos_runtime::error::{HostError, InvokeError};
use lumos_runtime::instance_config::InstanceConfig;
use lumos_runtime::marks::Marks;

use super::*;
use crate::pool::Standing;
use crate::threads::Threads;

/// An engine whose guests wait at a gate if the request says so.
#[derive(Clone, Default)]
struct GatedEngine(Arc<Gate>);

#[derive(Default)]
struct Gate {
    /// How many requests may pass.
    open: Mutex<usize>,
    opened: Condvar,
    waiting: AtomicUsize,
    living: AtomicUsize,
    broken: AtomicBool,
}

struct Guest(Arc<Gate>);

impl GatedEngine {
    fn let_through(&self, requests: usize) {
        *self.0.open.lock().unwrap() += requests;
        self.0.opened.notify_all();
    }

    /// Waits until `requests` requests are at the gate.
    fn wait_for(&self, requests: usize) {
        while self.0.waiting.load(SeqCst) < requests {
            std::thread::yield_now();
        }
    }

    fn living(&self) -> usize {
        self.0.living.load(SeqCst)
    }
}

impl Engine for GatedEngine {
    type Module = ();
    type Instance = Guest;

    fn capabilities(&self) -> Capabilities {
        let (versions, targets) = (BTreeMap::new(), Vec::new());
        Capabilities { protocol: PROTOCOL, runtime: "gated".to_owned(), versions, targets }
    }

    fn load(&self, _: &Target, _: &Path, _: &mut Marks) -> Result<(), HostError> {
        Ok(())
    }

    fn instantiate(
        &self,
        (): &(),
        _: &InstanceConfig,
        marks: &mut Marks,
    ) -> Result<Guest, HostError> {
        if self.0.broken.load(SeqCst) {
            return Err(HostError::engine("the engine is broken"));
        }
        marks.add(Phase::Instantiate, 1);
        self.0.living.fetch_add(1, SeqCst);
        Ok(Guest(self.0.clone()))
    }

    fn prove_mode(
        &self,
        _: &Target,
        _: &Path,
        _: Option<Resident<'_, ()>>,
    ) -> Result<ModeProof, HostError> {
        Err(HostError::unsupported("it has no mode"))
    }
}

impl Instance for Guest {
    fn invoke(
        &mut self,
        request: &[u8],
        _: Duration,
        answer: &mut Vec<u8>,
        _: &mut Marks,
    ) -> Result<(), InvokeError> {
        let status = match request {
            b"trap" => return Err(InvokeError::Trap("unreachable".to_owned())),
            b"refuse" => Status::BadRequest,
            b"fail" => Status::Error,
            b"wait" => {
                self.0.waiting.fetch_add(1, SeqCst);
                let open = self.0.open.lock().unwrap();
                let mut open = self.0.opened.wait_while(open, |open| *open == 0).unwrap();
                *open -= 1;
                self.0.waiting.fetch_sub(1, SeqCst);
                Status::Ok
            }
            _ => Status::Ok,
        };
        answer.clear();
        answer.extend_from_slice(request);
        envelope::seal(answer, &GuestPhases::default(), status);
        Ok(())
    }

    fn memory_bytes(&self) -> u64 {
        0
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.living.fetch_sub(1, SeqCst);
    }
}

/// An executor with its engine and threads.
struct Fixture {
    engine: GatedEngine,
    executor: Arc<Executor<InProcess<GatedEngine>>>,
    threads: Threads,
}

impl Fixture {
    fn new(pool: PoolConfig, timeout: Duration) -> Self {
        let artifact = tempfile::NamedTempFile::new().unwrap();
        let prepare = Prepare {
            target: "gated".parse().unwrap(),
            artifact: artifact.path().to_owned(),
            isolation: Isolation::Thread,
            start: Start::Mixed,
            limits: Limits { timeout: Span(timeout), ..Limits::default() },
            env: BTreeMap::new(),
            folder: None,
            request: String::new(),
            warmup: 0,
            gap: Span(Duration::ZERO),
            cgroup: None,
        };
        let threads = Threads::start(pool.max_instances).unwrap();
        let engine = GatedEngine::default();
        let function = Pooled { name: "gated".to_owned(), prepare, pool, reserve: true };
        let provider = InProcess::new(Arc::new(engine.clone()), &function).unwrap();
        let executor = Executor::start(provider, &function, threads.handle());
        threads.block_on(executor.ready());
        Self { engine, executor, threads }
    }

    fn with(pool: PoolConfig) -> Self {
        Self::new(pool, Duration::from_secs(600))
    }

    fn serve(&self, body: &'static str) -> Answer {
        let answer = self.executor.serve(request(body));
        check(&answer);
        answer
    }

    fn submit(&self, body: &'static str) -> Pending {
        self.executor.clone().submit(request(body))
    }

    fn wait(&self, pending: Pending) -> Answer {
        let answer = self.threads.block_on(pending);
        check(&answer);
        answer
    }

    fn drain(&self) {
        self.threads.block_on(self.executor.clone().drain());
        assert_eq!(self.engine.living(), 0);
        let Standing { provisioning, idle, busy, queued, .. } = self.executor.standing();
        assert_eq!([provisioning, idle, busy, queued], [0; 4]);
    }
}

fn request(body: &'static str) -> Request {
    Request { body: Bytes::from_static(body.as_bytes()), intended_ns: monotonic_ns(), seq: 7 }
}

/// Checks what holds for every answer.
fn check(Answer { cause, sample, body }: &Answer) {
    assert_eq!(sample.phases_ns.total(), sample.total_ns);
    assert_eq!(sample.outcome, cause.outcome());
    assert_eq!(sample.error.is_none(), *cause == Cause::Answered, "{:?}", sample.error);
    assert!(*cause == Cause::Answered || body.is_empty());
    assert_eq!(sample.seq, 7);
}

fn one_instance() -> PoolConfig {
    PoolConfig { max_instances: 1, ..PoolConfig::default() }
}

#[test]
fn the_first_request_starts_cold_and_the_next_one_finds_its_instance() {
    let fixture = Fixture::with(one_instance());
    let first = fixture.serve("hello");
    assert_eq!((first.cause, &first.body[..]), (Cause::Answered, &b"hello"[..]));
    assert_eq!((first.sample.start_kind, first.sample.instance), (Start::ColdInstance, Some(0)));
    assert_eq!(first.sample.phases_ns.get(Phase::Instantiate), 1);
    let second = fixture.serve("again");
    assert_eq!((second.sample.start_kind, second.sample.instance), (Start::Warm, Some(0)));
    assert_eq!(second.sample.phases_ns.cold_start(), 0);
    // The function is short, so the calling thread serves it.
    let here = fixture.executor.serve_here(request("here")).expect("an instance is idle");
    check(&here);
    assert_eq!(&here.body[..], b"here");
    let there = fixture.wait(fixture.submit("there"));
    assert_eq!(&there.body[..], b"there");
    fixture.drain();
    let states: Vec<_> = fixture.executor.take_events().0.iter().map(|event| event.state).collect();
    use InstanceState::*;

    assert_eq!(states[..4], [Requested, Provisioning, Ready, Busy]);
    assert_eq!(states[4..], [Idle, Busy, Idle, Busy, Idle, Busy, Idle, Reclaimed]);
}

#[test]
fn a_pool_that_forgets_telemetry_keeps_none() {
    let fixture = Fixture::with(one_instance());
    fixture.serve("hello");
    fixture.executor.forget_telemetry();
    fixture.serve("again");
    fixture.drain();
    assert_eq!(fixture.executor.take_events(), (vec![], 0));
    assert!(fixture.executor.take_counters().is_empty());
}

#[test]
fn long_and_short_outputs_are_complete() {
    let fixture = Fixture::with(one_instance());
    let long = "x".repeat(100_000).leak();
    for body in [long, "short", long] {
        assert_eq!(fixture.serve(body).body, body.as_bytes());
    }
}

#[test]
fn a_request_to_a_ready_instance_starts_warm() {
    let fixture = Fixture::with(PoolConfig { min_instances: 1, ..one_instance() });
    assert_eq!(fixture.serve("hello").sample.start_kind, Start::Warm);
}

#[test]
fn failures_have_their_causes_and_a_trap_ends_the_instance() {
    let fixture = Fixture::with(one_instance());
    assert_eq!(fixture.serve("refuse").cause, Cause::BadRequest);
    assert_eq!(fixture.serve("fail").cause, Cause::FunctionFailed);
    let trapped = fixture.serve("trap");
    assert_eq!((trapped.cause, trapped.sample.instance), (Cause::Trapped, Some(0)));
    let next = fixture.serve("hello");
    assert_eq!((next.sample.start_kind, next.sample.instance), (Start::ColdInstance, Some(1)));
    fixture.engine.0.broken.store(true, SeqCst);
    assert_eq!(fixture.serve("trap").cause, Cause::Trapped);
    let none = fixture.serve("hello");
    assert_eq!(none.cause, Cause::NoInstance);
    assert!(none.sample.error.unwrap().contains("the engine is broken"));
    assert_eq!(none.sample.instance, None);
    fixture.drain();
}

#[test]
fn a_full_queue_refuses_and_a_queued_request_is_served() {
    let fixture = Fixture::with(PoolConfig { queue: 1, ..one_instance() });
    assert_eq!(fixture.serve("hello").cause, Cause::Answered);
    let running = fixture.submit("wait");
    fixture.engine.wait_for(1);
    // No instance is idle for the event loop.
    assert!(fixture.executor.serve_here(request("hello")).is_err());
    let queued = fixture.submit("queued");
    let refused = fixture.serve("refused");
    assert_eq!((refused.cause, refused.sample.outcome), (Cause::QueueFull, Outcome::Rejected));
    assert_eq!(fixture.executor.standing().queued, 1);
    fixture.engine.let_through(1);
    assert_eq!(fixture.wait(running).cause, Cause::Answered);
    assert_eq!(&fixture.wait(queued).body[..], b"queued");
    fixture.drain();
}

#[test]
fn a_queued_request_is_given_up_at_its_deadline() {
    let fixture = Fixture::new(one_instance(), Duration::from_millis(50));
    let running = fixture.submit("wait");
    fixture.engine.wait_for(1);
    let late = fixture.serve("late");
    assert_eq!(late.cause, Cause::DeadlinePassed);
    assert_eq!(late.sample.phases_ns.get(Phase::Queue), late.sample.total_ns);
    assert!(Duration::from_nanos(late.sample.total_ns) >= Duration::from_millis(50));
    assert_eq!(fixture.executor.standing().queued, 0);
    fixture.engine.let_through(1);
    fixture.wait(running);
    fixture.drain();
}

#[test]
fn a_client_that_leaves_frees_its_place_and_keeps_the_instance() {
    let fixture = Fixture::with(one_instance());
    let running = fixture.submit("wait");
    fixture.engine.wait_for(1);
    let queued = fixture.submit("queued");
    assert_eq!(fixture.executor.standing().queued, 1);
    drop(queued);
    assert_eq!(fixture.executor.standing().queued, 0);
    drop(running);
    assert_eq!(fixture.executor.standing().busy, 1, "the guest is not stopped");
    fixture.engine.let_through(1);
    assert_eq!(fixture.serve("hello").sample.instance, Some(0));
    fixture.drain();
}

#[test]
fn a_drain_finishes_running_requests_and_refuses_the_others() {
    let fixture = Fixture::with(one_instance());
    let running = fixture.submit("wait");
    fixture.engine.wait_for(1);
    let queued = fixture.submit("queued");
    let drained = fixture.executor.clone().drain();
    assert_eq!(fixture.wait(queued).cause, Cause::Draining);
    assert_eq!(fixture.serve("late").cause, Cause::Draining);
    fixture.engine.let_through(1);
    assert_eq!(fixture.wait(running).cause, Cause::Answered);
    fixture.threads.block_on(drained);
    fixture.drain();
}

#[test]
fn a_stop_answers_the_request_of_a_guest_that_does_not_end() {
    let fixture = Fixture::with(one_instance());
    let running = fixture.submit("wait");
    fixture.engine.wait_for(1);
    fixture.executor.stop();
    assert_eq!(fixture.wait(running).cause, Cause::Draining);
    fixture.engine.let_through(1);
    fixture.drain();
}

#[test]
fn every_request_has_one_answer_and_nothing_is_left() {
    const CLIENTS: usize = 8;
    const EACH: usize = 300;
    let pool = PoolConfig {
        max_instances: 3,
        queue: 4,
        keep_alive: Span(Duration::from_micros(200)),
        ..PoolConfig::default()
    };
    let fixture = Fixture::with(pool);
    let causes: Vec<Cause> = std::thread::scope(|scope| {
        let client = |client: usize| {
            let fixture = &fixture;
            scope.spawn(move || {
                let ask = |turn: usize| match (turn * 7 + client) % 5 {
                    0 => Some(fixture.serve("trap")),
                    1 => Some(fixture.wait(fixture.submit("hello"))),
                    2 => Some(
                        fixture
                            .executor
                            .serve_here(request("hello"))
                            .unwrap_or_else(|request| fixture.executor.serve(request)),
                    ),
                    3 => {
                        drop(fixture.submit("hello"));
                        None
                    }
                    _ => Some(fixture.serve("refuse")),
                };
                (0..EACH).filter_map(ask).map(|answer| answer.cause).collect::<Vec<_>>()
            })
        };
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let left = (0..CLIENTS * EACH).filter(|n| ((n % EACH) * 7 + n / EACH) % 5 == 3).count();
    assert_eq!(causes.len() + left, CLIENTS * EACH);
    for cause in [Cause::Answered, Cause::Trapped, Cause::BadRequest] {
        assert!(causes.contains(&cause), "no client got {}", cause.as_str());
    }
    fixture.drain();
    let Standing { made, reclaimed, failed, .. } = fixture.executor.standing();
    assert_eq!(made, reclaimed + failed);
}
