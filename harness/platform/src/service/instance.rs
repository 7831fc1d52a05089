//! Instances of a pool: how they are made and invoked, in a thread or in a process.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lumos_model::cell::{Isolation, Start};
use lumos_model::counters::Counters;
use lumos_model::phase::{Phase, Phases};
use lumos_model::protocol::{Limits, Pooled, Prepare};
use lumos_model::row::ProvisionSpans;
use lumos_model::wire::RequestKind;
use lumos_model::wire::frame::REPLY_HEAD;
use lumos_os::cgroup::{Base, Group};
use lumos_os::clock::{monotonic_ns, thread_cpu_ns};
use lumos_os::spawn::ProcessCommand;
use lumos_runtime::engine::{Instance, InstanceConfig, Runtime};
use lumos_runtime::error::{HostError, InvokeError};
use lumos_runtime::launch;
use lumos_runtime::marks::Marks;
use lumos_runtime::process::ProcessInstance;
use nix::unistd::Pid;

/// What the parent allows an instance's process beyond the timeout of a request; the
/// process keeps that much more than the parent, which kills it first.
const GRACE: Duration = Duration::from_secs(2);

/// Outputs up to this size are copied out of an instance's buffer.
const COPIED: usize = 16 << 10;

/// Where instances that are processes come from and where they go.
#[derive(Clone, Default)]
pub struct Home {
    /// The host that is started again as `instance`; `None`: this executable.
    pub host: Option<PathBuf>,
    /// Folder of their cgroups; `None`: they get none.
    pub base: Option<Arc<Base>>,
}

/// Makes the instances of one function.
pub(super) struct Factory<R: Runtime> {
    runtime: Arc<R>,
    kind: Kind<R::Module>,
    name: String,
    timeout: Duration,
}

enum Kind<M> {
    Thread { module: M, config: InstanceConfig },
    Process { command: ProcessCommand, limits: Limits, base: Option<Arc<Base>> },
}

/// An instance that was made, and what that took.
pub(super) struct Slot<I> {
    held: Held<I>,
    /// The answer's buffer, kept from one invocation to the next.
    answer: Vec<u8>,
    /// What making it took; `None`: it has served since.
    pub provisioned: Option<Provisioned>,
}

enum Held<I> {
    Thread(I),
    Process(ProcessInstance),
}

/// What making an instance took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Provisioned {
    /// When it began, nanoseconds of `CLOCK_MONOTONIC`.
    pub began_ns: u64,
    /// `provision`, `load`, `compile` and `instantiate`.
    pub phases: Phases,
    /// Parts of `provision`.
    pub spans: Option<ProvisionSpans>,
    /// CPU time.
    pub cpu_ns: Option<u64>,
}

/// One invocation, as it was seen around it.
#[derive(Debug)]
pub(super) struct Call {
    pub began_ns: u64,
    pub ended_ns: u64,
    pub phases: Phases,
    pub cpu_ns: Option<u64>,
    pub linear_memory_bytes: u64,
    pub result: Result<(), InvokeError>,
}

impl<R: Runtime> Factory<R> {
    /// Loads the module that instances in this process share, or finds out how to start
    /// those that are processes.
    pub fn new(
        runtime: Arc<R>,
        function: &Pooled,
        Home { host, base }: Home,
    ) -> Result<Self, HostError> {
        let prepare = &function.prepare;
        if !prepare.artifact.is_file() {
            let why = "no such file; run scripts/build.sh";
            return Err(HostError::artifact(&prepare.artifact, why));
        }
        let kind = match prepare.isolation {
            Isolation::Thread => {
                let config = InstanceConfig::from(prepare);
                let mut marks = Marks::default();
                let (target, artifact) = (&prepare.target, &prepare.artifact);
                let module = match function.reserve {
                    true => {
                        let instances = function.pool.max_instances;
                        runtime.load_for(instances, target, artifact, &mut marks)?
                    }
                    false => runtime.load(target, artifact, &mut marks)?,
                };
                // Some engines compile for the first instance: then the module is resident.
                drop(runtime.instantiate(&module, &config, &mut marks)?);
                Kind::Thread { module, config }
            }
            Isolation::Process => Kind::Process {
                command: process_command(runtime.as_ref(), prepare, host)?,
                limits: prepare.limits.clone(),
                base,
            },
        };
        let timeout = prepare.limits.timeout.0;
        Ok(Self { runtime, kind, name: function.name.clone(), timeout })
    }

    /// What is new for a request that waits for one of these to be made.
    pub fn cold(&self) -> Start {
        match self.kind {
            Kind::Thread { .. } => Start::ColdInstance,
            Kind::Process { .. } => Start::ColdProcess,
        }
    }

    /// Whether instances live inside of this process.
    pub fn is_in_thread(&self) -> bool {
        matches!(self.kind, Kind::Thread { .. })
    }

    /// Makes instance `number` and waits until it is ready. A process dies with the thread
    /// that made it, so this must be called on one that stays.
    pub fn make(&self, number: u32) -> Result<Slot<R::Instance>, InvokeError> {
        let failed = |error: HostError| InvokeError::Failed(error.to_string());
        let began_ns = monotonic_ns();
        let (held, phases, spans, cpu_ns) = match &self.kind {
            Kind::Thread { module, config } => {
                let mut marks = Marks::default();
                let cpu_before_ns = thread_cpu_ns();
                let made = self.runtime.instantiate(module, config, &mut marks);
                let cpu_ns = thread_cpu_ns() - cpu_before_ns;
                (Held::Thread(made.map_err(failed)?), *marks.phases(), None, Some(cpu_ns))
            }
            Kind::Process { command, limits, base } => {
                let name = format!("{}-{number}", self.name);
                let base = base.as_deref().map(|base| (base, name.as_str()));
                let mut process = ProcessInstance::start(command, base, limits).map_err(failed)?;
                let deadline_ns = began_ns + self.timeout.as_nanos() as u64;
                let mut nothing = Vec::new();
                let probe = process.exchange(RequestKind::Ready, b"", deadline_ns, &mut nothing)?;
                let phases = probe.phases(Some(began_ns));
                let spans = Some(process.spans(probe.reply.entered_ns));
                let cpu_ns = process.cpu_ns();
                (Held::Process(process), phases, spans, cpu_ns)
            }
        };
        let provisioned = Provisioned { began_ns, phases, spans, cpu_ns };
        Ok(Slot { held, answer: Vec::new(), provisioned: Some(provisioned) })
    }
}

impl<I: Instance> Slot<I> {
    /// Serves `request` until `deadline_ns`; its [`envelope`](Self::envelope) stays. CPU time
    /// is read if `accounts_cpu`: some 0.6 us each time.
    pub fn invoke(&mut self, request: &[u8], deadline_ns: u64, accounts_cpu: bool) -> Call {
        match &mut self.held {
            Held::Thread(instance) => {
                let mut marks = Marks::default();
                let cpu_before_ns = accounts_cpu.then(thread_cpu_ns);
                let began_ns = monotonic_ns();
                let left = Duration::from_nanos(deadline_ns.saturating_sub(began_ns));
                let result = instance.invoke(request, left, &mut self.answer, &mut marks);
                let ended_ns = monotonic_ns();
                let cpu_ns = cpu_before_ns.map(|before_ns| thread_cpu_ns() - before_ns);
                Call {
                    began_ns,
                    ended_ns,
                    phases: *marks.phases(),
                    cpu_ns,
                    linear_memory_bytes: instance.memory_bytes(),
                    result,
                }
            }
            Held::Process(process) => {
                let read_cpu_ns =
                    |process: &ProcessInstance| accounts_cpu.then(|| process.cpu_ns()).flatten();
                let cpu_before_ns = read_cpu_ns(process);
                let began_ns = monotonic_ns();
                let exchanged =
                    process.exchange(RequestKind::Invoke, request, deadline_ns, &mut self.answer);
                let ended_ns =
                    exchanged.as_ref().map_or_else(|_| monotonic_ns(), |e| e.answered_ns);
                let cpu_after_ns = read_cpu_ns(process);
                let cpu_ns = cpu_after_ns.zip(cpu_before_ns).map(|(after, before)| after - before);
                let (phases, linear_memory_bytes) = match &exchanged {
                    Ok(exchange) => (exchange.phases(None), exchange.reply.memory_bytes),
                    Err(_) => (Phases::default(), 0),
                };
                let result = exchanged.map(|_| ());
                Call { began_ns, ended_ns, phases, cpu_ns, linear_memory_bytes, result }
            }
        }
    }

    /// What the last invocation left, if it did not fail.
    pub fn envelope(&self) -> &[u8] {
        &self.answer[self.head()..]
    }

    /// The first `bytes` of the envelope, which are the output. A long one takes the
    /// buffer with it.
    pub fn take_output(&mut self, bytes: usize) -> Bytes {
        let head = self.head();
        if bytes <= COPIED {
            return Bytes::copy_from_slice(&self.answer[head..head + bytes]);
        }
        Bytes::from(std::mem::take(&mut self.answer)).slice(head..head + bytes)
    }

    /// What stands before the envelope in the buffer.
    fn head(&self) -> usize {
        match self.held {
            Held::Thread(_) => 0,
            Held::Process(_) => REPLY_HEAD,
        }
    }

    /// Its process, if it is one.
    pub fn pid(&self) -> Option<Pid> {
        match &self.held {
            Held::Thread(_) => None,
            Held::Process(process) => Some(process.pid()),
        }
    }

    /// Counters of its cgroup, if it has one. Reading them takes some tens of microseconds.
    pub fn counters(&self) -> Option<Counters> {
        match &self.held {
            Held::Thread(_) => None,
            Held::Process(process) => process.group().map(Group::counters),
        }
    }
}

impl Provisioned {
    /// The part of it that a request waited for which came at `arrived_ns`: the phases
    /// follow one another, so what was over by then is taken from the front.
    pub fn seen_from(&self, arrived_ns: u64) -> Phases {
        let mut missed_ns = arrived_ns.saturating_sub(self.began_ns);
        let mut seen = Phases::default();
        for phase in [Phase::Provision, Phase::Load, Phase::Compile, Phase::Instantiate] {
            let all_ns = self.phases.get(phase);
            let left_ns = all_ns.saturating_sub(missed_ns);
            missed_ns -= all_ns - left_ns;
            seen.add(phase, left_ns);
        }
        seen
    }
}

fn process_command<R: Runtime>(
    runtime: &R,
    prepare: &Prepare,
    host: Option<PathBuf>,
) -> Result<ProcessCommand, HostError> {
    let config = InstanceConfig::from(prepare);
    if let Some(own) = runtime.process_command(&prepare.target, &prepare.artifact, &config) {
        return Ok(own);
    }
    let host = host
        .map_or_else(std::env::current_exe, Ok)
        .map_err(|e| HostError::system("find this executable", e))?;
    let timeout = prepare.limits.timeout.0 + GRACE;
    Ok(launch::command(host, &prepare.target, prepare.artifact.clone(), &config, timeout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_comes_late_sees_the_rest_of_the_provisioning() {
        let mut phases = Phases::default();
        phases.add(Phase::Provision, 50);
        phases.add(Phase::Compile, 30);
        phases.add(Phase::Instantiate, 20);
        let made = Provisioned { began_ns: 1_000, phases, spans: None, cpu_ns: None };
        let seen = |arrived_ns| {
            let seen = made.seen_from(arrived_ns);
            [Phase::Provision, Phase::Compile, Phase::Instantiate].map(|phase| seen.get(phase))
        };
        assert_eq!(seen(900), [50, 30, 20]);
        assert_eq!(seen(1_010), [40, 30, 20]);
        assert_eq!(seen(1_060), [0, 20, 20]);
        assert_eq!(seen(1_200), [0, 0, 0]);
    }
}
