//! Instances inside the host process.

use std::sync::Arc;
use std::time::Duration;

use lumos_model::cell::Isolation;
use lumos_model::counters::Counters;
use lumos_model::protocol::Pooled;
use lumos_os::clock::{monotonic_ns, thread_cpu_ns};
use lumos_runtime::artifact::check_exists;
use lumos_runtime::engine::{Engine, Instance};
use lumos_runtime::error::{HostError, InvokeError};
use lumos_runtime::marks::Marks;
use lumos_runtime::slots::ModuleSlot;
use nix::unistd::Pid;

use super::provider::{CpuClocks, Invocation, PoolInstance, Provider, Provisioning};

/// Creates instances of a module that they share.
pub struct InProcess<E: Engine> {
    module: ModuleSlot<E>,
}

impl<E: Engine> InProcess<E> {
    /// Loads the module of `function`, with the engine's memory reserved if the function asks
    /// for it.
    ///
    /// # Errors
    /// When the artifact cannot be loaded or instantiated.
    pub fn new(engine: Arc<E>, function: &Pooled) -> Result<Self, HostError> {
        check_exists(&function.prepare.artifact)?;
        let mut module = ModuleSlot::of(engine, &function.prepare);
        let mut marks = Marks::default();
        if function.reserve {
            module.load_for(function.pool.max_instances, &mut marks)?;
        } else {
            module.load(&mut marks)?;
        }
        module.compile_fully()?;
        Ok(Self { module })
    }
}

impl<E: Engine> Provider for InProcess<E> {
    type Instance = InProcessInstance<E::Instance>;

    const ISOLATION: Isolation = Isolation::Thread;

    fn provision(&self, _: u32) -> Result<(Self::Instance, Provisioning), InvokeError> {
        let began_ns = monotonic_ns();
        let mut marks = Marks::default();
        let cpu_before_ns = thread_cpu_ns();
        let made = self.module.instantiate(&mut marks);
        let cpu_ns = Some(thread_cpu_ns() - cpu_before_ns);
        let provisioning = Provisioning { began_ns, phases: *marks.phases(), spans: None, cpu_ns };
        Ok((InProcessInstance(made?), provisioning))
    }
}

/// An instance of an engine.
pub struct InProcessInstance<I>(I);

impl<I: Instance + Send + 'static> PoolInstance for InProcessInstance<I> {
    const ENVELOPE_AT: usize = 0;

    fn invoke(
        &mut self,
        request: &[u8],
        deadline_ns: u64,
        clocks: CpuClocks,
        answer: &mut Vec<u8>,
    ) -> Invocation {
        let mut marks = Marks::default();
        let cpu_before_ns = (clocks == CpuClocks::Read).then(thread_cpu_ns);
        let began_ns = monotonic_ns();
        let left = Duration::from_nanos(deadline_ns.saturating_sub(began_ns));
        let result = self.0.invoke(request, left, answer, &mut marks);
        let ended_ns = monotonic_ns();
        let cpu_ns = cpu_before_ns.map(|before_ns| thread_cpu_ns() - before_ns);
        let linear_memory_bytes = self.0.memory_bytes();
        let phases = *marks.phases();
        Invocation { began_ns, ended_ns, phases, cpu_ns, linear_memory_bytes, result }
    }

    fn pid(&self) -> Option<Pid> {
        None
    }

    fn counters(&self) -> Option<Counters> {
        None
    }
}
