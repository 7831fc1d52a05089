//! Instances inside this process.

use std::path::Path;
use std::time::Duration;

use lumos_model::cell::{Start, Target};
use lumos_model::counters::{Counter, Counters};
use lumos_model::protocol::{ModeProof, Prepare};
use lumos_model::row::Sample;
use lumos_os::clock::{monotonic_ns, process_cpu_ns, thread_cpu_ns};
use lumos_os::usage;
use lumos_runtime::engine::{Instance, InstanceConfig, Resident, Runtime};
use lumos_runtime::error::{HostError, InvokeError};
use lumos_runtime::marks::Marks;
use lumos_runtime::sample::{self, Reading};

use super::Lane;

pub(crate) struct ThreadLane<'r, R: Runtime> {
    runtime: &'r R,
    prepare: Prepare,
    config: InstanceConfig,
    timeout: Duration,
    // Declared before the module, so that it is dropped first.
    instance: Option<R::Instance>,
    module: Option<R::Module>,
    answer: Vec<u8>,
    /// Memory of this process with the module, without an instance.
    memory_before: Counters,
}

impl<'r, R: Runtime> ThreadLane<'r, R> {
    pub fn new(runtime: &'r R, prepare: &Prepare) -> Result<Self, HostError> {
        let config = InstanceConfig::from(prepare);
        let module = runtime.load(&prepare.target, &prepare.artifact, &mut Marks::default())?;
        if prepare.start == Start::ColdInstance {
            // Some engines compile for the first instance: then the module is resident.
            drop(runtime.instantiate(&module, &config, &mut Marks::default())?);
        }
        Ok(Self {
            runtime,
            config,
            timeout: prepare.limits.timeout.0,
            prepare: prepare.clone(),
            instance: None,
            module: Some(module),
            answer: Vec::new(),
            memory_before: usage::memory(),
        })
    }

    /// What stands between the clock reads of a sample that provisions anything.
    fn provision_and_invoke(
        &mut self,
        request: &str,
        marks: &mut Marks,
    ) -> Result<(), InvokeError> {
        let failed = |error: HostError| InvokeError::Failed(error.to_string());
        let begin_ns = monotonic_ns();
        if self.module.is_none() {
            let loaded = self.runtime.load(&self.prepare.target, &self.prepare.artifact, marks);
            self.module = Some(loaded.map_err(failed)?);
        }
        if self.instance.is_none() {
            let module = self.module.as_ref().expect("loaded above");
            let made = self.runtime.instantiate(module, &self.config, marks);
            self.instance = Some(made.map_err(failed)?);
        }
        let instance = self.instance.as_mut().expect("made above");
        let spent = Duration::from_nanos(monotonic_ns() - begin_ns);
        let left = self.timeout.saturating_sub(spent);
        instance.invoke(request.as_bytes(), left, &mut self.answer, marks)
    }
}

impl<R: Runtime> Lane for ThreadLane<'_, R> {
    fn sample(&mut self, seq: u32, start: Start, request: &str, keep_output: bool) -> Sample {
        match start {
            Start::Warm | Start::Mixed => {}
            Start::ColdInstance => self.instance = None,
            Start::ColdModule | Start::ColdProcess | Start::ColdImage => {
                self.instance = None;
                self.module = None;
            }
        }
        let warm = self.instance.is_some();
        let kind = match (warm, self.module.is_some()) {
            (true, _) => Start::Warm,
            (false, true) => Start::ColdInstance,
            (false, false) => Start::ColdModule,
        };
        let mut marks = Marks::default();
        // A compiler may use threads of its own; a warm invocation stays on this one.
        let cpu_clock = if warm { thread_cpu_ns } else { process_cpu_ns };
        let cpu_before_ns = cpu_clock();
        let intended_ns = monotonic_ns();
        let result = match (&mut self.instance, warm) {
            (Some(instance), true) => {
                instance.invoke(request.as_bytes(), self.timeout, &mut self.answer, &mut marks)
            }
            _ => self.provision_and_invoke(request, &mut marks),
        };
        let answered_ns = monotonic_ns();
        let cpu_ns = cpu_clock() - cpu_before_ns;
        let reading = Reading {
            intended_ns,
            answered_ns,
            phases: *marks.phases(),
            spans: None,
            cpu_ns: Some(cpu_ns),
            linear_memory_bytes: self.instance.as_ref().map_or(0, Instance::memory_bytes),
            memory_peak_bytes: None,
        };
        let result = result.as_ref().map(|()| self.answer.as_slice());
        let failed = result.is_err();
        let mut sample = sample::sample(seq, kind, reading, result, keep_output);
        if failed || start.is_cold() {
            let begin_ns = monotonic_ns();
            self.instance = None;
            sample.teardown_ns = Some(monotonic_ns() - begin_ns);
        }
        sample
    }

    fn take_counters(&mut self) -> Vec<Counters> {
        Vec::new()
    }

    fn last_answer(&self) -> &[u8] {
        &self.answer
    }

    /// There is one instance, so what came with it is its own; code that an engine
    /// compiles for the first instance is in it.
    fn attribute_memory(&self, host: &mut Counters) {
        if self.instance.is_none() {
            return;
        }
        let levels = [
            (Counter::Pss, Counter::PssBefore, Counter::PssWithInstance),
            (Counter::Anonymous, Counter::AnonymousBefore, Counter::AnonymousWithInstance),
        ];
        for (level, before, with_instance) in levels {
            let read = self.memory_before.get(level).zip(host.get(level));
            if let Some((without_bytes, with_bytes)) = read {
                host.set(before, without_bytes);
                host.set(with_instance, with_bytes);
            }
        }
    }

    fn prove_mode(&self, target: &Target, artifact: &Path) -> Option<Result<ModeProof, HostError>> {
        let module = self
            .module
            .as_ref()
            .filter(|_| self.prepare.target == *target && self.prepare.artifact == artifact)?;
        let resident = Resident { module, config: &self.config };
        Some(self.runtime.prove_mode(target, artifact, Some(resident)))
    }
}
