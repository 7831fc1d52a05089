//! The mock as an engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lumos_model::artifact::Form;
use lumos_model::capability::{Capabilities, TargetCapability};
use lumos_model::cell::{Isolation, Start, Storage, Target};
use lumos_model::phase::Phase;
use lumos_model::protocol::{ModeProof, PROTOCOL};
use lumos_model::wire::{GuestPhase, GuestPhases, Status, envelope};
use lumos_os::simulated::SimulatedClock;
use lumos_runtime::engine::{Engine, Instance, Resident};
use lumos_runtime::error::{HostError, InvokeError};
use lumos_runtime::instance_config::InstanceConfig;
use lumos_runtime::marks::Marks;

use super::script::{Act, Costs, End, Script};

/// An engine whose modules follow scripts. Clones are the same engine.
#[derive(Clone, Debug)]
pub struct MockEngine(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: SimulatedClock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    scripts: BTreeMap<PathBuf, Script>,
    events: Vec<(u64, Event)>,
    created: u32,
    living: BTreeMap<PathBuf, usize>,
}

/// An event of the engine. Instances are numbered from 0 in the order of their creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A module was loaded.
    Loaded,
    /// A module was dropped.
    Unloaded,
    /// An instance was created.
    Created(u32),
    /// An instance was invoked; the time is that of the call.
    Invoked(u32),
    /// An instance was freed.
    Freed(u32),
}

impl MockEngine {
    /// An engine without modules, on `clock`.
    pub fn new(clock: &SimulatedClock) -> Self {
        Self(Arc::new(Shared { clock: clock.clone(), state: Mutex::default() }))
    }

    /// Adds a module at `path`, where no file is needed.
    #[must_use]
    pub fn with(self, path: impl Into<PathBuf>, script: Script) -> Self {
        self.state().scripts.insert(path.into(), script);
        self
    }

    /// The events so far, each with the time at which it was over.
    pub fn events(&self) -> Vec<(u64, Event)> {
        self.state().events.clone()
    }

    /// How many instances exist, over all modules.
    pub fn instances(&self) -> usize {
        self.state().living.values().sum()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("no test panics in the mock")
    }

    fn record(&self, event: Event) {
        let now_ns = self.0.clock.now_ns();
        self.state().events.push((now_ns, event));
    }

    fn work(&self, duration: Duration) {
        self.0.clock.work(duration);
    }

    fn next_act(&self, path: &Path) -> Act {
        let mut state = self.state();
        let script = state.scripts.get_mut(path).expect("instances are created from modules");
        script.acts.pop_front().unwrap_or_else(|| script.otherwise.clone())
    }
}

/// A module of the mock.
#[derive(Debug)]
pub struct MockModule {
    engine: MockEngine,
    path: PathBuf,
}

/// An instance of the mock.
#[derive(Debug)]
pub struct MockInstance {
    engine: MockEngine,
    path: PathBuf,
    costs: Costs,
    number: u32,
    memory_bytes: u64,
    dead: bool,
}

impl Engine for MockEngine {
    type Module = MockModule;
    type Instance = MockInstance;

    fn capabilities(&self) -> Capabilities {
        let target = TargetCapability {
            target: "mock-interp".parse().expect("a target"),
            unavailable: None,
            form: Form("mock".to_owned()),
            compiled_from: None,
            isolations: vec![Isolation::Thread],
            starts: vec![Start::Warm, Start::ColdInstance, Start::ColdModule],
            storages: vec![Storage::Inline],
            settings: BTreeMap::new(),
        };
        Capabilities {
            protocol: PROTOCOL,
            runtime: "mock".to_owned(),
            versions: BTreeMap::new(),
            targets: vec![target],
        }
    }

    fn load(&self, _: &Target, path: &Path, marks: &mut Marks) -> Result<MockModule, HostError> {
        let costs = self.state().scripts.get(path).map(|script| script.costs);
        let costs = costs.ok_or_else(|| HostError::artifact(path, "it has no script"))?;
        marks.span(Phase::Load, || self.work(costs.load));
        marks.span(Phase::Compile, || self.work(costs.compile));
        self.record(Event::Loaded);
        Ok(MockModule { engine: self.clone(), path: path.to_owned() })
    }

    fn instantiate(
        &self,
        module: &MockModule,
        _: &InstanceConfig,
        marks: &mut Marks,
    ) -> Result<MockInstance, HostError> {
        let path = module.path.clone();
        let script = self.state().scripts[&path].clone();
        marks.span(Phase::Instantiate, || self.work(script.costs.instantiate));
        let number = {
            let mut state = self.state();
            let living = state.living.entry(path.clone()).or_default();
            if script.max_instances.is_some_and(|max| *living >= max) {
                return Err(HostError::engine("there is no room for another instance"));
            }
            *living += 1;
            state.created += 1;
            state.created - 1
        };
        self.record(Event::Created(number));
        let Script { costs, memory_bytes, .. } = script;
        Ok(MockInstance { engine: self.clone(), path, costs, number, memory_bytes, dead: false })
    }

    fn prove_mode(
        &self,
        target: &Target,
        _: &Path,
        _: Option<Resident<'_, MockModule>>,
    ) -> Result<ModeProof, HostError> {
        Ok(ModeProof {
            target: target.clone(),
            setting: "mock".to_owned(),
            code: "none".to_owned(),
            canary_ns: 0,
            reference_ns: 0,
        })
    }
}

impl Drop for MockModule {
    fn drop(&mut self) {
        self.engine.record(Event::Unloaded);
    }
}

impl Instance for MockInstance {
    /// # Panics
    /// When the instance is dead, because no caller may invoke it then.
    fn invoke(
        &mut self,
        _: &[u8],
        timeout: Duration,
        answer: &mut Vec<u8>,
        marks: &mut Marks,
    ) -> Result<(), InvokeError> {
        assert!(!self.dead, "instance {} was invoked after its end", self.number);
        self.engine.record(Event::Invoked(self.number));
        let act = self.engine.next_act(&self.path);
        let result = self.perform(&act, timeout, answer, marks);
        self.dead = result.is_err();
        result
    }

    fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }
}

impl MockInstance {
    fn perform(
        &mut self,
        act: &Act,
        timeout: Duration,
        answer: &mut Vec<u8>,
        marks: &mut Marks,
    ) -> Result<(), InvokeError> {
        let Costs { request, response, other, .. } = self.costs;
        let needed = [request, other, act.wait, act.compute, response];
        let needed = needed.into_iter().fold(Duration::ZERO, Duration::saturating_add);
        if needed > timeout {
            self.engine.work(timeout);
            return Err(InvokeError::Timeout("the deadline passed".to_owned()));
        }
        marks.span(Phase::Request, || self.engine.work(request));
        self.engine.work(other);
        self.engine.0.clock.idle(act.wait);
        self.engine.work(act.compute);
        self.memory_bytes += act.grows_by;
        let (body, status) = match &act.end {
            End::Answer(output) => (output, Status::Ok),
            End::Error(message) => (message, Status::Error),
            End::Died(error) => return Err(error.clone()),
        };
        marks.span(Phase::Response, || self.engine.work(response));
        let mut guest = GuestPhases::default();
        guest.add(GuestPhase::IoRead, act.wait.as_nanos() as u64);
        guest.add(GuestPhase::Compute, act.compute.as_nanos() as u64);
        answer.clear();
        answer.extend_from_slice(body.as_bytes());
        envelope::seal(answer, &guest, status);
        Ok(())
    }
}

impl Drop for MockInstance {
    fn drop(&mut self) {
        self.engine.work(self.costs.teardown);
        self.engine.record(Event::Freed(self.number));
        let mut state = self.engine.state();
        let living = state.living.get_mut(&self.path).expect("it was counted when created");
        *living -= 1;
    }
}
