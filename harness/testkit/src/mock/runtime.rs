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
use lumos_runtime::engine::{Instance, InstanceConfig, Resident, Runtime};
use lumos_runtime::error::{HostError, InvokeError};
use lumos_runtime::marks::Marks;

use super::script::{Act, Costs, End, Script};

/// An engine whose modules follow scripts. Clones are the same engine.
#[derive(Clone, Debug)]
pub struct MockRuntime(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: SimulatedClock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    scripts: BTreeMap<PathBuf, Script>,
    events: Vec<(u64, Event)>,
    made: u32,
    living: BTreeMap<PathBuf, usize>,
}

/// What was done to the engine. Instances are numbered from 0 in the order of their making.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A module was loaded.
    Loaded,
    /// A module was dropped.
    Unloaded,
    /// An instance was made.
    Made(u32),
    /// An instance was invoked; the time is that of the call.
    Invoked(u32),
    /// An instance was freed.
    Freed(u32),
}

impl MockRuntime {
    /// An engine without modules, on `clock`.
    pub fn new(clock: &SimulatedClock) -> Self {
        Self(Arc::new(Shared { clock: clock.clone(), state: Mutex::default() }))
    }

    /// With a module at `path`, where no file need be.
    #[must_use]
    pub fn with(self, path: impl Into<PathBuf>, script: Script) -> Self {
        self.state().scripts.insert(path.into(), script);
        self
    }

    /// What was done so far, each with the time at which it was over.
    pub fn events(&self) -> Vec<(u64, Event)> {
        self.state().events.clone()
    }

    /// How many instances live, over all modules.
    pub fn instances(&self) -> usize {
        self.state().living.values().sum()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("no test panics in the mock")
    }

    fn note(&self, event: Event) {
        let now_ns = self.0.clock.now_ns();
        self.state().events.push((now_ns, event));
    }

    fn work(&self, duration: Duration) {
        self.0.clock.work(duration);
    }

    fn next_act(&self, path: &Path) -> Act {
        let mut state = self.state();
        let script = state.scripts.get_mut(path).expect("instances come of modules");
        script.acts.pop_front().unwrap_or_else(|| script.otherwise.clone())
    }
}

/// A module of the mock.
#[derive(Debug)]
pub struct MockModule {
    runtime: MockRuntime,
    path: PathBuf,
}

/// An instance of the mock.
#[derive(Debug)]
pub struct MockInstance {
    runtime: MockRuntime,
    path: PathBuf,
    costs: Costs,
    number: u32,
    memory_bytes: u64,
    dead: bool,
}

impl Runtime for MockRuntime {
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
        let costs = costs.ok_or_else(|| HostError::artifact(path, "no script is for it"))?;
        marks.span(Phase::Load, || self.work(costs.load));
        marks.span(Phase::Compile, || self.work(costs.compile));
        self.note(Event::Loaded);
        Ok(MockModule { runtime: self.clone(), path: path.to_owned() })
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
            if script.room.is_some_and(|room| *living >= room) {
                return Err(HostError::engine("there is no room for another instance"));
            }
            *living += 1;
            state.made += 1;
            state.made - 1
        };
        self.note(Event::Made(number));
        let Script { costs, memory_bytes, .. } = script;
        Ok(MockInstance { runtime: self.clone(), path, costs, number, memory_bytes, dead: false })
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
        self.runtime.note(Event::Unloaded);
    }
}

impl Instance for MockInstance {
    /// # Panics
    /// When a dead instance is invoked: nobody may do that.
    fn invoke(
        &mut self,
        _: &[u8],
        timeout: Duration,
        answer: &mut Vec<u8>,
        marks: &mut Marks,
    ) -> Result<(), InvokeError> {
        assert!(!self.dead, "instance {} was invoked after its end", self.number);
        self.runtime.note(Event::Invoked(self.number));
        let act = self.runtime.next_act(&self.path);
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
        let wanted = [request, other, act.wait, act.compute, response];
        let wanted = wanted.into_iter().fold(Duration::ZERO, Duration::saturating_add);
        if wanted > timeout {
            self.runtime.work(timeout);
            return Err(InvokeError::Timeout("the deadline passed".to_owned()));
        }
        marks.span(Phase::Request, || self.runtime.work(request));
        self.runtime.work(other);
        self.runtime.0.clock.idle(act.wait);
        self.runtime.work(act.compute);
        self.memory_bytes += act.grows_by;
        let (body, status) = match &act.end {
            End::Answer(output) => (output, Status::Ok),
            End::Error(message) => (message, Status::Error),
            End::Died(error) => return Err(error.clone()),
        };
        marks.span(Phase::Response, || self.runtime.work(response));
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
        self.runtime.work(self.costs.teardown);
        self.runtime.note(Event::Freed(self.number));
        let mut state = self.runtime.state();
        let living = state.living.get_mut(&self.path).expect("it was made");
        *living -= 1;
    }
}
