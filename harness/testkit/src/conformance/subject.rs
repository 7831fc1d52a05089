//! What a case is given: one target of a runtime with one isolation.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lumos_host::sampler::{Prepared, Processes};
use lumos_model::capability::TargetCapability;
use lumos_model::cell::{Isolation, Start, Storage};
use lumos_model::protocol::{Limits, Prepare};
use lumos_model::row::{Outcome, Sample};
use lumos_model::units::{ByteSize, Span};
use lumos_runtime::engine::Runtime;

use super::groups::Groups;
use super::{artifacts, requests};

/// The shortest time limit that cases wait for.
const SHORT: Duration = Duration::from_millis(300);

/// One target of a runtime, with one isolation.
pub struct Subject<R> {
    runtime: R,
    host: PathBuf,
    capability: TargetCapability,
    isolation: Isolation,
    processes: u32,
}

impl<R: Runtime> Subject<R> {
    /// A subject; `host` is the executable of the runtime's host, and `processes` as
    /// [`conformance!`](crate::conformance!) has it.
    ///
    /// # Panics
    /// When the runtime does not offer the target here.
    pub fn new(runtime: R, host: &str, target: &str, isolation: &str, processes: u32) -> Self {
        let capability = runtime
            .capabilities()
            .targets
            .into_iter()
            .find(|capability| capability.target.as_str() == target)
            .unwrap_or_else(|| panic!("the runtime has no target {target}"));
        let isolation = isolation.parse().expect("the name of an isolation");
        if let Some(reason) = capability.refusal(isolation, Start::Warm, Storage::Inline) {
            panic!("{target} cannot be tested here: {reason}");
        }
        Self { runtime, host: host.into(), capability, isolation, processes }
    }

    pub(super) fn capability(&self) -> &TargetCapability {
        &self.capability
    }

    pub(super) fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// The executable of the runtime's host.
    pub(super) fn host(&self) -> &PathBuf {
        &self.host
    }

    /// How many instances are made to see that nothing is left of them.
    pub(super) fn instances(&self) -> u32 {
        match self.isolation {
            Isolation::Process => self.processes,
            Isolation::Thread => 100,
        }
    }

    /// Whether the target has modules, which a native executable has not.
    pub(super) fn has_modules(&self) -> bool {
        self.capability.starts.contains(&Start::ColdModule)
    }

    /// Whether `start` is offered with this isolation.
    pub(super) fn offers(&self, start: Start) -> bool {
        self.capability.refusal(self.isolation, start, Storage::Inline).is_none()
    }

    /// A cell of the guest `conformance`: warm, without limits, and asked for an echo.
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
    /// A process pays for its engine from the same purse, a just-in-time compiler
    /// included, so it gets more.
    pub(super) fn prepare_bounded(&self) -> Prepare {
        let mut prepare = self.prepare();
        let mib = match self.isolation {
            Isolation::Thread => 64,
            Isolation::Process => 256,
        };
        prepare.limits.memory = Some(ByteSize(mib << 20));
        prepare
    }

    /// Like [`prepare`](Self::prepare), with a time limit that a case waits for: 300 ms, or
    /// four times the cold start where that is more, because the invocation that follows
    /// must fit in it, cold start included.
    pub(super) fn prepare_timed(&self) -> Prepare {
        let mut prepare = self.prepare();
        let begin = Instant::now();
        self.cell(prepare.clone(), None);
        prepare.limits.timeout = Span(SHORT.max(4 * begin.elapsed()));
        prepare
    }

    /// Makes ready for a cell. A warm one has served its request.
    ///
    /// # Panics
    /// When it cannot be, or the invocations that warm it up fail.
    pub(super) fn cell<'s>(&'s self, prepare: Prepare, groups: Option<&'s Groups>) -> Cell<'s> {
        let processes = Processes { host: Some(self.host.clone()), base: groups.map(Groups::base) };
        let (prepared, warmup) = Prepared::new(&self.runtime, prepare, processes)
            .unwrap_or_else(|error| panic!("the cell cannot be prepared: {error}"));
        for sample in &warmup {
            check(sample);
            assert_eq!(sample.outcome, Outcome::Ok, "in the warm-up: {}", show(sample));
        }
        Cell(prepared)
    }
}

/// A cell that cases ask this and that.
pub(super) struct Cell<'s>(pub Prepared<'s>);

impl Cell<'_> {
    /// One invocation, with what holds for each of them.
    pub fn ask(&mut self, request: &str) -> Sample {
        let sample = self.0.ask(request);
        check(&sample);
        sample
    }

    /// Asks for an echo, which must come back from an instance that was there before.
    pub fn serves_warm(&mut self) {
        assert_eq!(self.serves().start_kind, Start::Warm, "the instance did not stay");
    }

    /// Asks for an echo, which must come back from a new instance, and then once more.
    pub fn serves_anew(&mut self, isolation: Isolation) {
        let rung = match isolation {
            Isolation::Thread => Start::ColdInstance,
            Isolation::Process => Start::ColdProcess,
        };
        assert_eq!(self.serves().start_kind, rung, "the dead instance was used again");
        self.serves_warm();
    }

    /// Asks for an echo, from whatever instance.
    pub fn serves(&mut self) -> Sample {
        let sample = self.ask(&requests::echo("still here"));
        assert_eq!(sample.outcome, Outcome::Ok, "{}", show(&sample));
        assert_eq!(sample.output.as_deref(), Some(r#"{"data":"still here"}"#));
        sample
    }
}

/// What holds for every sample, however it ended.
pub(super) fn check(sample: &Sample) {
    assert_eq!(sample.phases_ns.total(), sample.total_ns, "phases do not add up: {}", show(sample));
    assert_eq!(sample.outcome == Outcome::Ok, sample.error.is_none(), "{}", show(sample));
    assert_eq!(sample.outcome == Outcome::Ok, sample.output_sha256.is_some(), "{}", show(sample));
}

/// A sample as it stands in a row: one line, phases by name.
pub(super) fn show(sample: &Sample) -> String {
    serde_json::to_string(sample).expect("plain data")
}

/// The outcome, and a message that says `words` (any of them).
pub(super) fn assert_ended(sample: &Sample, outcome: Outcome, words: &[&str]) {
    assert_eq!(sample.outcome, outcome, "{}", show(sample));
    let message = sample.error.as_deref().unwrap_or_default();
    let said = words.iter().any(|word| message.contains(word));
    assert!(said, "the message says none of {words:?}: {message:?}");
}

/// Fails when a runtime offers a target or an isolation that its tests leave out.
///
/// # Panics
/// When it does.
pub fn every_offer_is_tested<R: Runtime>(runtime: &R, tested: &[(&str, &str)]) {
    let mut offers = Vec::new();
    for capability in runtime.capabilities().targets {
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
