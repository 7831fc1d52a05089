//! A host executable whose engine computes nothing, on a simulated clock.
//!
//! Every duration follows from the function's name, the target's mode and the number of the
//! invocation, so tests know a whole run of `lumos` byte for byte. They copy this executable
//! to `lumos-host-mock`, where `lumos` finds it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
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

/// The function whose invocations fail now and then.
const FAILING: &str = "prime-numbers";
/// How many times slower the interpreter is.
const INTERPRETER_FACTOR: u64 = 11;
const MEMORY_BYTES: u64 = 64 << 10;
const PAGE_BYTES: u64 = 4 << 10;
const IO_NS: u64 = 2_003;

struct MockEngine {
    clock: SimulatedClock,
    /// Invocations so far, of all functions.
    invoked: Arc<AtomicU32>,
}

struct MockModule {
    function: String,
    factor: u64,
}

struct MockInstance {
    clock: SimulatedClock,
    invoked: Arc<AtomicU32>,
    function: String,
    factor: u64,
    memory_bytes: u64,
}

impl Engine for MockEngine {
    type Module = MockModule;
    type Instance = MockInstance;

    fn capabilities(&self) -> Capabilities {
        let target = |name: &str| TargetCapability {
            target: name.parse().expect("a target"),
            unavailable: None,
            form: Form("mock".to_owned()),
            compiled_from: None,
            isolations: vec![Isolation::Thread],
            starts: vec![Start::Warm, Start::ColdInstance, Start::ColdModule],
            storages: vec![Storage::Inline, Storage::Local],
            settings: BTreeMap::from([("clock".to_owned(), "simulated".to_owned())]),
        };
        Capabilities {
            protocol: PROTOCOL,
            runtime: "mock".to_owned(),
            versions: BTreeMap::from([("mock".to_owned(), "1".to_owned())]),
            targets: vec![target("mock-interp"), target("mock-aot")],
        }
    }

    fn load(
        &self,
        target: &Target,
        artifact: &Path,
        marks: &mut Marks,
    ) -> Result<MockModule, HostError> {
        let function = artifact.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let factor = if target.mode() == Some("interp") { INTERPRETER_FACTOR } else { 1 };
        marks.span(Phase::Load, || work(&self.clock, 90_001));
        marks.span(Phase::Compile, || work(&self.clock, 500_003 * factor));
        Ok(MockModule { function, factor })
    }

    fn instantiate(
        &self,
        module: &MockModule,
        _: &InstanceConfig,
        marks: &mut Marks,
    ) -> Result<MockInstance, HostError> {
        marks.span(Phase::Instantiate, || work(&self.clock, 70_001));
        Ok(MockInstance {
            clock: self.clock.clone(),
            invoked: Arc::clone(&self.invoked),
            function: module.function.clone(),
            factor: module.factor,
            memory_bytes: MEMORY_BYTES,
        })
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

impl MockInstance {
    /// How long invocation `number` computes.
    fn compute_ns(&self, number: u64) -> u64 {
        let base_ns = self.function.bytes().map(u64::from).sum::<u64>() * 101;
        (base_ns + base_ns * (number * 37 % 11) / 1_000) * self.factor
    }
}

impl Instance for MockInstance {
    fn invoke(
        &mut self,
        request: &[u8],
        timeout: Duration,
        answer: &mut Vec<u8>,
        marks: &mut Marks,
    ) -> Result<(), InvokeError> {
        let number = self.invoked.fetch_add(1, Relaxed);
        let fails_at = |failure: u32| self.function == FAILING && number == failure;
        if fails_at(7) {
            work(&self.clock, 5_000);
            return Err(InvokeError::Trap("unreachable".to_owned()));
        }
        if fails_at(9) {
            self.clock.work(timeout);
            return Err(InvokeError::Timeout("the deadline passed".to_owned()));
        }
        let (body, status) = match fails_at(5) {
            true => ("no such number", Status::Error),
            false => ("42", Status::Ok),
        };
        let compute_ns = self.compute_ns(number.into());
        marks.span(Phase::Request, || work(&self.clock, 500 + request.len() as u64));
        // Time in no phase.
        work(&self.clock, 101);
        self.clock.idle(Duration::from_nanos(IO_NS));
        work(&self.clock, compute_ns);
        self.memory_bytes += PAGE_BYTES;
        marks.span(Phase::Response, || work(&self.clock, 307));
        let mut guest = GuestPhases::default();
        guest.add(GuestPhase::IoRead, IO_NS);
        guest.add(GuestPhase::Compute, compute_ns);
        answer.clear();
        answer.extend_from_slice(body.as_bytes());
        envelope::seal(answer, &guest, status);
        Ok(())
    }

    fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }
}

impl Drop for MockInstance {
    fn drop(&mut self) {
        work(&self.clock, 9_001);
    }
}

fn work(clock: &SimulatedClock, ns: u64) {
    clock.work(Duration::from_nanos(ns));
}

fn main() -> ExitCode {
    let clock = SimulatedClock::new();
    let _entered = clock.enter();
    lumos_host::run_engine(MockEngine { clock: clock.clone(), invoked: Arc::default() })
}
