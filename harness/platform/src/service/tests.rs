//! The executor with real threads. What the pool decides is tested exactly elsewhere; here
//! it is that each request has one answer, and that nothing is left.

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
use lumos_runtime::engine::{Instance, InstanceConfig, Resident, Runtime};
use lumos_runtime::error::{HostError, InvokeError};
use lumos_runtime::marks::Marks;

use super::*;
use crate::pool::Standing;
use crate::threads::Threads;

/// A runtime whose guests wait when they are told to.
#[derive(Clone, Default)]
struct Gated(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Requests that may leave the gate.
    open: Mutex<usize>,
    opened: Condvar,
    at_gate: AtomicUsize,
    living: AtomicUsize,
    broken: AtomicBool,
}

struct Guest(Arc<Shared>);

impl Gated {
    fn let_through(&self, requests: usize) {
        *self.0.open.lock().unwrap() += requests;
        self.0.opened.notify_all();
    }

    /// Waits until so many requests are in guests.
    fn wait_for(&self, requests: usize) {
        while self.0.at_gate.load(SeqCst) < requests {
            std::thread::yield_now();
        }
    }

    fn living(&self) -> usize {
        self.0.living.load(SeqCst)
    }
}

impl Runtime for Gated {
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
                self.0.at_gate.fetch_add(1, SeqCst);
                let open = self.0.open.lock().unwrap();
                let mut open = self.0.opened.wait_while(open, |open| *open == 0).unwrap();
                *open -= 1;
                self.0.at_gate.fetch_sub(1, SeqCst);
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

/// An executor with the threads that it lives on.
struct House {
    gated: Gated,
    executor: Arc<Executor<Gated>>,
    threads: Threads,
}

impl House {
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
        let gated = Gated::default();
        let function = Pooled { name: "gated".to_owned(), prepare, pool, reserve: true };
        let runtime = Arc::new(gated.clone());
        let executor =
            Executor::start(runtime, &function, Home::default(), threads.handle()).unwrap();
        threads.block_on(executor.ready());
        Self { gated, executor, threads }
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
        assert_eq!(self.gated.living(), 0);
        let Standing { provisioning, idle, busy, queued, .. } = self.executor.standing();
        assert_eq!([provisioning, idle, busy, queued], [0; 4]);
    }
}

fn request(body: &'static str) -> Request {
    Request { body: Bytes::from_static(body.as_bytes()), intended_ns: monotonic_ns(), seq: 7 }
}

/// What holds for every answer.
fn check(Answer { cause, sample, body }: &Answer) {
    assert_eq!(sample.phases_ns.total(), sample.total_ns);
    assert_eq!(sample.outcome, cause.outcome());
    assert_eq!(sample.error.is_none(), *cause == Cause::Answered, "{:?}", sample.error);
    assert!(*cause == Cause::Answered || body.is_empty());
    assert_eq!(sample.seq, 7);
}

fn one() -> PoolConfig {
    PoolConfig { max_instances: 1, ..PoolConfig::default() }
}

#[test]
fn the_first_request_is_cold_and_the_next_finds_its_instance() {
    let house = House::with(one());
    let first = house.serve("hello");
    assert_eq!((first.cause, &first.body[..]), (Cause::Answered, &b"hello"[..]));
    assert_eq!((first.sample.start_kind, first.sample.instance), (Start::ColdInstance, Some(0)));
    assert_eq!(first.sample.phases_ns.get(Phase::Instantiate), 1);
    let second = house.serve("again");
    assert_eq!((second.sample.start_kind, second.sample.instance), (Start::Warm, Some(0)));
    assert_eq!(second.sample.phases_ns.cold_start(), 0);
    // The calling thread need not wait for another one when it is short.
    let here = house.executor.serve_here(request("here")).expect("an instance is idle");
    check(&here);
    assert_eq!(&here.body[..], b"here");
    let there = house.wait(house.submit("there"));
    assert_eq!(&there.body[..], b"there");
    house.drain();
    let states: Vec<_> = house.executor.take_events().0.iter().map(|event| event.state).collect();
    use InstanceState::*;

    assert_eq!(states[..4], [Requested, Provisioning, Ready, Busy]);
    assert_eq!(states[4..], [Idle, Busy, Idle, Busy, Idle, Busy, Idle, Reclaimed]);
}

#[test]
fn what_nobody_takes_is_not_kept() {
    let house = House::with(one());
    house.serve("hello");
    house.executor.forget_telemetry();
    house.serve("again");
    house.drain();
    assert_eq!(house.executor.take_events(), (vec![], 0));
    assert!(house.executor.take_counters().is_empty());
}

#[test]
fn a_long_output_is_whole_and_the_next_one_too() {
    let house = House::with(one());
    let long = "x".repeat(100_000).leak();
    for body in [long, "short", long] {
        assert_eq!(house.serve(body).body, body.as_bytes());
    }
}

#[test]
fn an_instance_that_was_ready_before_makes_no_cold_start() {
    let house = House::with(PoolConfig { min_instances: 1, ..one() });
    assert_eq!(house.serve("hello").sample.start_kind, Start::Warm);
}

#[test]
fn what_goes_wrong_has_its_cause_and_a_trap_ends_the_instance() {
    let house = House::with(one());
    assert_eq!(house.serve("refuse").cause, Cause::BadRequest);
    assert_eq!(house.serve("fail").cause, Cause::FunctionFailed);
    let trapped = house.serve("trap");
    assert_eq!((trapped.cause, trapped.sample.instance), (Cause::Trapped, Some(0)));
    let next = house.serve("hello");
    assert_eq!((next.sample.start_kind, next.sample.instance), (Start::ColdInstance, Some(1)));
    house.gated.0.broken.store(true, SeqCst);
    assert_eq!(house.serve("trap").cause, Cause::Trapped);
    let none = house.serve("hello");
    assert_eq!(none.cause, Cause::NoInstance);
    assert!(none.sample.error.unwrap().contains("the engine is broken"));
    assert_eq!(none.sample.instance, None);
    house.drain();
}

#[test]
fn a_full_queue_refuses_and_who_waits_is_served_in_turn() {
    let house = House::with(PoolConfig { queue: 1, ..one() });
    assert_eq!(house.serve("hello").cause, Cause::Answered);
    let running = house.submit("wait");
    house.gated.wait_for(1);
    // Nobody may run on the event loop now.
    assert!(house.executor.serve_here(request("hello")).is_err());
    let queued = house.submit("queued");
    let refused = house.serve("refused");
    assert_eq!((refused.cause, refused.sample.outcome), (Cause::QueueFull, Outcome::Rejected));
    assert_eq!(house.executor.standing().queued, 1);
    house.gated.let_through(1);
    assert_eq!(house.wait(running).cause, Cause::Answered);
    assert_eq!(&house.wait(queued).body[..], b"queued");
    house.drain();
}

#[test]
fn a_request_that_waits_too_long_is_given_up() {
    let house = House::new(one(), Duration::from_millis(50));
    let running = house.submit("wait");
    house.gated.wait_for(1);
    let late = house.serve("late");
    assert_eq!(late.cause, Cause::DeadlinePassed);
    assert_eq!(late.sample.phases_ns.get(Phase::Queue), late.sample.total_ns);
    assert!(Duration::from_nanos(late.sample.total_ns) >= Duration::from_millis(50));
    assert_eq!(house.executor.standing().queued, 0);
    house.gated.let_through(1);
    house.wait(running);
    house.drain();
}

#[test]
fn who_leaves_frees_the_place_and_the_instance_serves_on() {
    let house = House::with(one());
    let running = house.submit("wait");
    house.gated.wait_for(1);
    let queued = house.submit("queued");
    assert_eq!(house.executor.standing().queued, 1);
    drop(queued);
    assert_eq!(house.executor.standing().queued, 0);
    drop(running);
    assert_eq!(house.executor.standing().busy, 1, "a guest is not stopped by that");
    house.gated.let_through(1);
    assert_eq!(house.serve("hello").sample.instance, Some(0));
    house.drain();
}

#[test]
fn a_drain_ends_what_runs_and_refuses_the_rest() {
    let house = House::with(one());
    let running = house.submit("wait");
    house.gated.wait_for(1);
    let queued = house.submit("queued");
    let drained = house.executor.clone().drain();
    assert_eq!(house.wait(queued).cause, Cause::Draining);
    assert_eq!(house.serve("late").cause, Cause::Draining);
    house.gated.let_through(1);
    assert_eq!(house.wait(running).cause, Cause::Answered);
    house.threads.block_on(drained);
    house.drain();
}

#[test]
fn a_stop_answers_who_waits_for_a_guest_that_does_not_end() {
    let house = House::with(one());
    let running = house.submit("wait");
    house.gated.wait_for(1);
    house.executor.stop();
    assert_eq!(house.wait(running).cause, Cause::Draining);
    house.gated.let_through(1);
    house.drain();
}

#[test]
fn each_of_many_requests_has_one_answer_and_nothing_is_left() {
    const CLIENTS: usize = 8;
    const EACH: usize = 300;
    let pool = PoolConfig {
        max_instances: 3,
        queue: 4,
        keep_alive: Span(Duration::from_micros(200)),
        ..PoolConfig::default()
    };
    let house = House::with(pool);
    let causes: Vec<Cause> = std::thread::scope(|scope| {
        let client = |client: usize| {
            let house = &house;
            scope.spawn(move || {
                let ask = |turn: usize| match (turn * 7 + client) % 5 {
                    0 => Some(house.serve("trap")),
                    1 => Some(house.wait(house.submit("hello"))),
                    2 => Some(
                        house
                            .executor
                            .serve_here(request("hello"))
                            .unwrap_or_else(|request| house.executor.serve(request)),
                    ),
                    3 => {
                        drop(house.submit("hello"));
                        None
                    }
                    _ => Some(house.serve("refuse")),
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
        assert!(causes.contains(&cause), "nobody got {}", cause.as_str());
    }
    house.drain();
    let Standing { made, reclaimed, failed, .. } = house.executor.standing();
    assert_eq!(made, reclaimed + failed);
}
