//! The subject of a case: one target of a runtime with one isolation.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lumos_host::{Backend, EngineBackend, LauncherBackend, PreparedCell};
use lumos_model::capability::TargetCapability;
use lumos_model::cell::{Isolation, Start, Storage};
use lumos_model::protocol::{BlockResult, Limits, Prepare};
use lumos_model::row::{Outcome, Sample};
use lumos_model::units::{ByteSize, Span};
use lumos_model::wire::Status;
use lumos_runtime::engine::Engine;
use lumos_runtime::launcher::Launcher;
use lumos_runtime::sample::Output;

use super::groups::Groups;
use super::{artifacts, requests};

/// The shortest time limit that cases wait for.
const SHORT: Duration = Duration::from_millis(300);

/// A runtime with the executable of its host.
pub struct Runtime {
    backend: Box<dyn Backend>,
    host: PathBuf,
}

impl Runtime {
    /// A runtime that is an engine.
    pub fn of_engine(engine: impl Engine, host: &str) -> Self {
        Self { backend: Box::new(EngineBackend::new(engine, host.into())), host: host.into() }
    }

    /// A runtime that is a launcher.
    pub fn of_launcher(launcher: impl Launcher, host: &str) -> Self {
        Self { backend: Box::new(LauncherBackend::new(launcher)), host: host.into() }
    }
}

/// One target of a runtime, with one isolation.
pub struct Subject {
    runtime: Runtime,
    capability: TargetCapability,
    isolation: Isolation,
    processes: u32,
}

impl Subject {
    /// A subject. `processes` is explained at [`conformance!`](crate::conformance!).
    ///
    /// # Panics
    /// When the runtime does not offer the target on this machine.
    pub fn new(runtime: Runtime, target: &str, isolation: &str, processes: u32) -> Self {
        let capability = runtime
            .backend
            .capabilities()
            .targets
            .into_iter()
            .find(|capability| capability.target.as_str() == target)
            .unwrap_or_else(|| panic!("the runtime has no target {target}"));
        let isolation = isolation.parse().expect("the name of an isolation");
        if let Some(reason) = capability.refusal(isolation, Start::Warm, Storage::Inline) {
            panic!("{target} cannot be tested here: {reason}");
        }
        Self { runtime, capability, isolation, processes }
    }

    pub(super) fn capability(&self) -> &TargetCapability {
        &self.capability
    }

    pub(super) fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// The executable of the runtime's host.
    pub(super) fn host(&self) -> &PathBuf {
        &self.runtime.host
    }

    /// How many instances are created to check that none leaves anything behind.
    pub(super) fn instances(&self) -> u32 {
        match self.isolation {
            Isolation::Process => self.processes,
            Isolation::Thread => 100,
        }
    }

    /// Whether the target has modules. A native executable has none.
    pub(super) fn has_modules(&self) -> bool {
        self.capability.starts.contains(&Start::ColdModule)
    }

    /// Whether `start` is offered with this isolation.
    pub(super) fn offers(&self, start: Start) -> bool {
        self.capability.refusal(self.isolation, start, Storage::Inline).is_none()
    }

    /// A warm cell of the guest `conformance`, without limits, whose request is an echo.
    pub(super) fn prepare(&self) -> Prepare {
        Prepare {
            target: self.capability.target.clone(),
            artifact: artifacts::find("conformance", &self.capability.form),
            isolation: self.isolation,
            start: Start::Warm,
            limits: Limits::default(),
            env: BTreeMap::new(),
            folder: None,
            request: requests::echo("ready"),
            warmup: 1,
            gap: Span(Duration::ZERO),
            cgroup: None,
        }
    }

    /// Like [`prepare`](Self::prepare), with a bound on memory.
    ///
    /// A process gets more, because its engine, with a just-in-time compiler, is charged to
    /// the same bound.
    pub(super) fn prepare_bounded(&self) -> Prepare {
        let mut prepare = self.prepare();
        let mib = match self.isolation {
            Isolation::Thread => 64,
            Isolation::Process => 256,
        };
        prepare.limits.memory = Some(ByteSize(mib << 20));
        prepare
    }

    /// Like [`prepare`](Self::prepare), with a time limit that a case waits for: 300 ms, or four
    /// times the cold start if that is longer. The invocation after a timeout must finish within
    /// the limit, with its cold start.
    pub(super) fn prepare_timed(&self) -> Prepare {
        let mut prepare = self.prepare();
        let begin = Instant::now();
        self.cell(prepare.clone(), None);
        prepare.limits.timeout = Span(SHORT.max(4 * begin.elapsed()));
        prepare
    }

    /// Prepares a cell. A warm one has served its request.
    ///
    /// # Panics
    /// When it cannot be prepared, or an invocation of its warm-up fails.
    pub(super) fn cell(&self, prepare: Prepare, groups: Option<&Groups>) -> Cell {
        let prepared = self.runtime.backend.prepare(prepare, groups.map(Groups::base));
        let (cell, warmup) =
            prepared.unwrap_or_else(|error| panic!("the cell cannot be prepared: {error}"));
        for sample in &warmup {
            check(sample);
            assert_eq!(sample.outcome, Outcome::Ok, "in the warm-up: {}", show(sample));
        }
        Cell(cell)
    }
}

/// A cell that is ready for requests.
pub(super) struct Cell(PreparedCell);

impl Cell {
    /// One invocation, with the checks that hold for every sample.
    pub fn ask(&mut self, request: &str) -> Sample {
        let sample = self.0.ask(request);
        check(&sample);
        sample
    }

    /// The status of the last answer.
    pub fn last_status(&self) -> Option<Status> {
        self.0.last_status()
    }

    /// A block of samples.
    pub fn block(&mut self, samples: u32) -> BlockResult {
        self.0.block(samples, Output::Hashed, None)
    }

    /// Asks for an echo, which must come from the existing instance.
    pub fn serves_warm(&mut self) {
        assert_eq!(self.serves().start_kind, Start::Warm, "the instance is gone");
    }

    /// Asks for an echo, which must come from a new instance, and then for another one.
    pub fn serves_with_new_instance(&mut self, isolation: Isolation) {
        let start = match isolation {
            Isolation::Thread => Start::ColdInstance,
            Isolation::Process => Start::ColdProcess,
        };
        assert_eq!(self.serves().start_kind, start, "the dead instance was used again");
        self.serves_warm();
    }

    /// Asks for an echo, from any instance.
    pub fn serves(&mut self) -> Sample {
        let sample = self.ask(&requests::echo("still here"));
        assert_eq!(sample.outcome, Outcome::Ok, "{}", show(&sample));
        assert_eq!(sample.output.as_deref(), Some(r#"{"data":"still here"}"#));
        sample
    }
}

/// Checks what holds for every sample, whatever its outcome.
pub(super) fn check(sample: &Sample) {
    assert_eq!(sample.phases_ns.total(), sample.total_ns, "phases do not add up: {}", show(sample));
    assert_eq!(sample.outcome == Outcome::Ok, sample.error.is_none(), "{}", show(sample));
    assert_eq!(sample.outcome == Outcome::Ok, sample.output_sha256.is_some(), "{}", show(sample));
}

/// A sample as a row shows it: on one line, with phases by name.
pub(super) fn show(sample: &Sample) -> String {
    serde_json::to_string(sample).expect("plain data")
}

/// Checks the outcome, and that the message contains one of `words`.
pub(super) fn assert_ended(sample: &Sample, outcome: Outcome, words: &[&str]) {
    assert_eq!(sample.outcome, outcome, "{}", show(sample));
    let message = sample.error.as_deref().unwrap_or_default();
    let found = words.iter().any(|word| message.contains(word));
    assert!(found, "the message contains none of {words:?}: {message:?}");
}

/// Checks that the tests cover every target and isolation that the runtime offers.
///
/// # Panics
/// When they do not.
pub fn every_offer_is_tested(runtime: &Runtime, tested: &[(&str, &str)]) {
    let mut offers = Vec::new();
    for capability in runtime.backend.capabilities().targets {
        let of = capability.target.to_string();
        offers.extend(capability.isolations.iter().map(|i| (of.clone(), i.to_string())));
    }
    let mut tested: Vec<_> = tested
        .iter()
        .map(|(target, isolation)| (target.to_string(), isolation.to_string()))
        .collect();
    offers.sort();
    tested.sort();
    assert_eq!(tested, offers);
}
