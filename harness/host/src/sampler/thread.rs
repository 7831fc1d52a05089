//! Samples of an instance inside the host process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lumos_model::cell::{Start, Target};
use lumos_model::counters::{Counter, Counters};
use lumos_model::protocol::{ModeProof, Prepare};
use lumos_model::row::Sample;
use lumos_os::clock::{monotonic_ns, process_cpu_ns, thread_cpu_ns};
use lumos_os::usage;
use lumos_runtime::engine::{Engine, Instance};
use lumos_runtime::error::HostError;
use lumos_runtime::marks::Marks;
use lumos_runtime::sample::{self, Output, Reading};
use lumos_runtime::slots::{InstanceSlot, ModuleSlot};

use super::interface::Sampler;

/// Holds the instance of a cell inside the host process.
pub(crate) struct ThreadSampler<E: Engine> {
    slot: InstanceSlot<E>,
    timeout: Duration,
    answer: Vec<u8>,
    /// Memory of this process with the module, before any instance.
    memory_before: Counters,
}

impl<E: Engine> ThreadSampler<E> {
    /// Loads the module.
    pub fn new(engine: Arc<E>, prepare: &Prepare) -> Result<Self, HostError> {
        let mut module = ModuleSlot::of(engine, prepare);
        module.load(&mut Marks::default())?;
        if prepare.start == Start::ColdInstance {
            module.compile_fully()?;
        }
        Ok(Self {
            slot: InstanceSlot::new(module),
            timeout: prepare.limits.timeout.0,
            answer: Vec::new(),
            memory_before: usage::memory(),
        })
    }

    /// Drops what must be new for a sample of the start kind.
    fn discard_for(&mut self, start: Start) {
        match start {
            Start::Warm | Start::Mixed => {}
            Start::ColdInstance => self.slot.drop_instance(),
            Start::ColdModule | Start::ColdProcess | Start::ColdImage => self.slot.drop_module(),
        }
    }

    /// The start kind that a sample has if it is taken now.
    fn start_kind(&self) -> Start {
        match (self.slot.instance(), self.slot.module().is_loaded()) {
            (Some(_), _) => Start::Warm,
            (None, true) => Start::ColdInstance,
            (None, false) => Start::ColdModule,
        }
    }
}

impl<E: Engine> Sampler for ThreadSampler<E> {
    fn sample(&mut self, seq: u32, start: Start, request: &str, output: Output) -> Sample {
        self.discard_for(start);
        let kind = self.start_kind();
        let mut marks = Marks::default();
        // A compiler may use threads of its own; a warm invocation stays on this one.
        let cpu_clock = if kind == Start::Warm { thread_cpu_ns } else { process_cpu_ns };
        let cpu_before_ns = cpu_clock();
        let intended_ns = monotonic_ns();
        let result =
            self.slot.invoke(request.as_bytes(), self.timeout, &mut self.answer, &mut marks);
        let answered_ns = monotonic_ns();
        let cpu_ns = cpu_clock() - cpu_before_ns;
        let reading = Reading {
            intended_ns,
            answered_ns,
            phases: *marks.phases(),
            spans: None,
            cpu_ns: Some(cpu_ns),
            linear_memory_bytes: self.slot.instance().map_or(0, Instance::memory_bytes),
            memory_peak_bytes: None,
        };
        let result = result.as_ref().map(|()| self.answer.as_slice());
        let failed = result.is_err();
        let mut sample = sample::sample(seq, kind, reading, result, output);
        if failed || start.is_cold() {
            let begin_ns = monotonic_ns();
            self.slot.drop_instance();
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

    /// There is one instance, so all memory that was added since is its own, including code
    /// that the engine compiled for it.
    fn attribute_memory(&self, host: &mut Counters) {
        if self.slot.instance().is_none() {
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
        self.slot.module().prove_mode(target, artifact)
    }
}
