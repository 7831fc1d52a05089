//! The other end of the frames: this executable started again as `instance`.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use lumos_model::phase::Phase;
use lumos_model::wire::frame::{read_request, write_reply};
use lumos_model::wire::{Reply, ReplyOutcome, RequestKind};
use lumos_os::clock::monotonic_ns;
use lumos_runtime::engine::{Instance, InstanceConfig, Runtime};
use lumos_runtime::error::{HostError, InvokeError};
use lumos_runtime::launch::InstanceArgs;
use lumos_runtime::marks::Marks;

/// Makes an instance and serves requests until its input ends.
///
/// # Errors
/// When the artifact cannot be loaded or instantiated, or a stream fails.
pub fn serve<R: Runtime>(
    runtime: &R,
    args: &InstanceArgs,
    entered_ns: u64,
    stdin: OwnedFd,
    stdout: OwnedFd,
) -> Result<(), HostError> {
    let config = InstanceConfig {
        env: std::env::vars().collect(),
        memory_bytes: args.memory_bytes,
        folder: args.folder.clone(),
    };
    let streams = |e: io::Error| HostError::system("speak with the host", e);
    let (mut from, mut to) = (File::from(stdin), File::from(stdout));
    let mut marks = Marks::default();
    let mut module = Some(runtime.load(&args.target, &args.artifact, &mut marks)?);
    let mut instance =
        Some(runtime.instantiate(module.as_ref().expect("just loaded"), &config, &mut marks)?);
    let ready_ns = monotonic_ns();
    let timeout = Duration::from_nanos(args.timeout_ns);
    let (mut request, mut answer) = (Vec::new(), Vec::new());
    while let Some(kind) = read_request(&mut from, &mut request).map_err(streams)? {
        let received_ns = monotonic_ns();
        let renews = matches!(kind, RequestKind::NewInstance | RequestKind::NewModule);
        if renews {
            instance = None;
        }
        if kind == RequestKind::NewModule {
            module = None;
        }
        let result = (|| {
            let failed = |e: HostError| InvokeError::Failed(e.to_string());
            if module.is_none() {
                let loaded = runtime.load(&args.target, &args.artifact, &mut marks);
                module = Some(loaded.map_err(failed)?);
            }
            if instance.is_none() {
                let module = module.as_ref().expect("loaded above");
                let made = runtime.instantiate(module, &config, &mut marks);
                instance = Some(made.map_err(failed)?);
            }
            let instance = instance.as_mut().expect("made above");
            if kind == RequestKind::Ready {
                answer.clear();
                return Ok(());
            }
            instance.invoke(&request, timeout, &mut answer, &mut marks)
        })();
        let memory_bytes = instance.as_ref().map_or(0, Instance::memory_bytes);
        let replied_ns = monotonic_ns();
        let outcome = match result {
            Ok(()) => ReplyOutcome::Answered,
            Err(error) => {
                // Dead: the next request gets a new one.
                instance = None;
                answer.clear();
                answer.extend_from_slice(error.to_string().as_bytes());
                match error {
                    InvokeError::Trap(_) => ReplyOutcome::Trap,
                    InvokeError::OutOfMemory(_) => ReplyOutcome::OutOfMemory,
                    InvokeError::Timeout(_) => ReplyOutcome::Timeout,
                    InvokeError::Failed(_) => ReplyOutcome::Failed,
                }
            }
        };
        let phase = |phase| marks.phases().get(phase);
        let head = Reply {
            outcome,
            entered_ns,
            ready_ns,
            received_ns,
            replied_ns,
            load_ns: phase(Phase::Load),
            compile_ns: phase(Phase::Compile),
            instantiate_ns: phase(Phase::Instantiate),
            request_ns: phase(Phase::Request),
            response_ns: phase(Phase::Response),
            memory_bytes,
        };
        write_reply(&mut to, &head, &answer).map_err(streams)?;
        marks.clear();
        // What a cold sample made is freed before the next one, off its clock.
        if renews {
            instance = None;
        }
        if kind == RequestKind::NewModule {
            module = None;
        }
    }
    Ok(())
}
