//! Instances in processes of their own.

use std::sync::Arc;
use std::time::Duration;

use lumos_model::cell::Isolation;
use lumos_model::counters::Counters;
use lumos_model::phase::Phases;
use lumos_model::protocol::Pooled;
use lumos_model::wire::RequestKind;
use lumos_model::wire::frame::REPLY_HEAD;
use lumos_os::cgroup::{Base, Group};
use lumos_os::clock::monotonic_ns;
use lumos_runtime::error::{HostError, InvokeError};
use lumos_runtime::launcher::Launcher;
use lumos_runtime::sandbox::Sandbox;
use lumos_runtime::sandbox_source::SandboxSource;
use nix::unistd::Pid;

use super::provider::{CpuClocks, Invocation, PoolInstance, Provider, Provisioning};

/// Launches a sandbox for each instance.
pub struct Sandboxed {
    sandboxes: SandboxSource,
    function: String,
    timeout: Duration,
}

impl Sandboxed {
    /// Prepares to launch sandboxes of `function`, with their control groups in `groups`.
    ///
    /// # Errors
    /// When the artifact is missing or the launcher cannot launch it.
    pub fn new(
        launcher: &dyn Launcher,
        function: &Pooled,
        groups: Option<Arc<Base>>,
    ) -> Result<Self, HostError> {
        let sandboxes = SandboxSource::new(launcher, &function.prepare, groups)?;
        let timeout = function.prepare.limits.timeout.0;
        Ok(Self { sandboxes, function: function.name.clone(), timeout })
    }
}

impl Provider for Sandboxed {
    type Instance = Sandbox;

    const ISOLATION: Isolation = Isolation::Process;

    fn provision(&self, number: u32) -> Result<(Sandbox, Provisioning), InvokeError> {
        let began_ns = monotonic_ns();
        let mut sandbox = self.sandboxes.launch(&format!("{}-{number}", self.function))?;
        let deadline_ns = began_ns + self.timeout.as_nanos() as u64;
        let ready = sandbox.exchange(RequestKind::Ready, b"", deadline_ns, &mut Vec::new())?;
        let provisioning = Provisioning {
            began_ns,
            phases: ready.phases(Some(began_ns)),
            spans: Some(sandbox.spans(ready.reply.entered_ns)),
            cpu_ns: sandbox.cpu_ns(),
        };
        Ok((sandbox, provisioning))
    }
}

impl PoolInstance for Sandbox {
    const ENVELOPE_AT: usize = REPLY_HEAD;

    fn invoke(
        &mut self,
        request: &[u8],
        deadline_ns: u64,
        clocks: CpuClocks,
        answer: &mut Vec<u8>,
    ) -> Invocation {
        let read_cpu_ns =
            |sandbox: &Self| (clocks == CpuClocks::Read).then(|| sandbox.cpu_ns()).flatten();
        let cpu_before_ns = read_cpu_ns(self);
        let began_ns = monotonic_ns();
        let exchanged = self.exchange(RequestKind::Invoke, request, deadline_ns, answer);
        let ended_ns = exchanged.as_ref().map_or_else(|_| monotonic_ns(), |e| e.answered_ns);
        let cpu_after_ns = read_cpu_ns(self);
        let cpu_ns = cpu_after_ns.zip(cpu_before_ns).map(|(after, before)| after - before);
        let (phases, linear_memory_bytes) = match &exchanged {
            Ok(exchange) => (exchange.phases(None), exchange.reply.memory_bytes),
            Err(_) => (Phases::default(), 0),
        };
        let result = exchanged.map(|_| ());
        Invocation { began_ns, ended_ns, phases, cpu_ns, linear_memory_bytes, result }
    }

    fn pid(&self) -> Option<Pid> {
        Some(Sandbox::pid(self))
    }

    fn counters(&self) -> Option<Counters> {
        self.group().map(Group::counters)
    }
}
