//! The host executable, started again as `instance`: it serves one instance over frames.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use lumos_model::phase::Phase;
use lumos_model::wire::frame::{read_request, write_reply};
use lumos_model::wire::{Reply, ReplyOutcome, RequestKind};
use lumos_os::clock::monotonic_ns;
use lumos_runtime::engine::{Engine, Instance};
use lumos_runtime::error::{HostError, InvokeError};
use lumos_runtime::host_process::InstanceArgs;
use lumos_runtime::instance_config::InstanceConfig;
use lumos_runtime::marks::Marks;
use lumos_runtime::slots::{InstanceSlot, ModuleSlot};

/// Creates an instance and serves requests until the input ends.
///
/// # Errors
/// When the artifact cannot be loaded or instantiated, or a stream fails.
pub fn serve<E: Engine>(
    engine: Arc<E>,
    args: InstanceArgs,
    entered_ns: u64,
    stdin: OwnedFd,
    stdout: OwnedFd,
) -> Result<(), HostError> {
    let streams = |e: io::Error| HostError::system("speak with the host", e);
    let (mut from, mut to) = (File::from(stdin), File::from(stdout));
    let mut process = InstanceProcess::start(engine, args, entered_ns)?;
    let mut request = Vec::new();
    while let Some(kind) = read_request(&mut from, &mut request).map_err(streams)? {
        let head = process.serve(kind, &request, monotonic_ns());
        write_reply(&mut to, &head, &process.answer).map_err(streams)?;
        process.clean_up(kind);
    }
    Ok(())
}

/// The instance that this process serves.
struct InstanceProcess<E: Engine> {
    slot: InstanceSlot<E>,
    timeout: Duration,
    entered_ns: u64,
    ready_ns: u64,
    answer: Vec<u8>,
    /// The phases of the next reply. The first one includes the start.
    marks: Marks,
}

impl<E: Engine> InstanceProcess<E> {
    fn start(engine: Arc<E>, args: InstanceArgs, entered_ns: u64) -> Result<Self, HostError> {
        let InstanceArgs { target, artifact, memory_bytes, folder, timeout_ns } = args;
        let config = InstanceConfig { env: std::env::vars().collect(), memory_bytes, folder };
        let mut slot = InstanceSlot::new(ModuleSlot::new(engine, target, artifact, config));
        let mut marks = Marks::default();
        slot.provision(&mut marks)?;
        let ready_ns = monotonic_ns();
        let timeout = Duration::from_nanos(timeout_ns);
        Ok(Self { slot, timeout, entered_ns, ready_ns, answer: Vec::new(), marks })
    }

    /// Serves one request. The envelope or the error message is left in `answer`.
    fn serve(&mut self, kind: RequestKind, request: &[u8], received_ns: u64) -> Reply {
        self.discard_for(kind);
        let result = self.invoke(kind, request);
        let memory_bytes = self.slot.instance().map_or(0, Instance::memory_bytes);
        let replied_ns = monotonic_ns();
        let outcome = match result {
            Ok(()) => ReplyOutcome::Answered,
            Err(error) => self.fail(&error),
        };
        let phase = |phase| self.marks.phases().get(phase);
        Reply {
            outcome,
            entered_ns: self.entered_ns,
            ready_ns: self.ready_ns,
            received_ns,
            replied_ns,
            load_ns: phase(Phase::Load),
            compile_ns: phase(Phase::Compile),
            instantiate_ns: phase(Phase::Instantiate),
            request_ns: phase(Phase::Request),
            response_ns: phase(Phase::Response),
            memory_bytes,
        }
    }

    fn invoke(&mut self, kind: RequestKind, request: &[u8]) -> Result<(), InvokeError> {
        let instance = self.slot.provision(&mut self.marks)?;
        if kind == RequestKind::Ready {
            self.answer.clear();
            return Ok(());
        }
        instance.invoke(request, self.timeout, &mut self.answer, &mut self.marks)
    }

    /// Drops the dead instance, so that the next request gets a new one.
    fn fail(&mut self, error: &InvokeError) -> ReplyOutcome {
        self.slot.drop_instance();
        self.answer.clear();
        self.answer.extend_from_slice(error.to_string().as_bytes());
        match error {
            InvokeError::Trap(_) => ReplyOutcome::Trap,
            InvokeError::OutOfMemory(_) => ReplyOutcome::OutOfMemory,
            InvokeError::Timeout(_) => ReplyOutcome::Timeout,
            InvokeError::Failed(_) => ReplyOutcome::Failed,
        }
    }

    /// After a reply: resets the phases, and frees what a cold sample created, so that the
    /// next one does not pay for that.
    fn clean_up(&mut self, kind: RequestKind) {
        self.marks.clear();
        self.discard_for(kind);
    }

    /// Drops what must be new for a request of this kind.
    fn discard_for(&mut self, kind: RequestKind) {
        match kind {
            RequestKind::Invoke | RequestKind::Ready => {}
            RequestKind::NewInstance => self.slot.drop_instance(),
            RequestKind::NewModule => self.slot.drop_module(),
        }
    }
}
