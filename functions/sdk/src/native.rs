//! The native form: a process that serves request frames (`lumos_wire::frame`).

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use lumos_wire::frame::{self, Reply, ReplyOutcome, RequestKind};

use crate::function::Function;
use crate::invoke::invoke_bytes;

/// Serves frames on stdin and stdout until stdin ends.
pub fn main<F: Function>() -> ExitCode {
    let entered_ns = monotonic_ns();
    match standard_streams().and_then(|(from, to)| serve(from, to, entered_ns, invoke_bytes::<F>)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the function cannot continue: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The handles of `std` would search every answer for line ends.
fn standard_streams() -> io::Result<(BufReader<File>, BufWriter<File>)> {
    let stdin = io::stdin().as_fd().try_clone_to_owned()?;
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    Ok((BufReader::new(stdin.into()), BufWriter::new(stdout.into())))
}

/// Answers each request frame from `from` on `to`, until `from` ends.
///
/// `entered_ns` is the time at which the process entered `main`, in nanoseconds of
/// `CLOCK_MONOTONIC`.
///
/// # Errors
/// When a stream fails or contains something other than frames.
pub fn serve(
    mut from: impl Read,
    mut to: impl Write,
    entered_ns: u64,
    invoke: impl Fn(&[u8]) -> Vec<u8>,
) -> io::Result<()> {
    let ready_ns = monotonic_ns();
    // Only the first reply reports the start; later requests use the same instance.
    let mut instantiate_ns = ready_ns - entered_ns;
    let mut request = Vec::new();
    while let Some(kind) = frame::read_request(&mut from, &mut request)? {
        let received_ns = monotonic_ns();
        let (outcome, answer) = match kind {
            RequestKind::Invoke => (ReplyOutcome::Answered, invoke(&request)),
            RequestKind::Ready => (ReplyOutcome::Answered, Vec::new()),
            RequestKind::NewInstance | RequestKind::NewModule => {
                (ReplyOutcome::Failed, NO_RENEWAL.as_bytes().to_vec())
            }
        };
        let head = Reply {
            outcome,
            entered_ns,
            ready_ns,
            received_ns,
            replied_ns: monotonic_ns(),
            load_ns: 0,
            compile_ns: 0,
            instantiate_ns: std::mem::take(&mut instantiate_ns),
            request_ns: 0,
            response_ns: 0,
            memory_bytes: 0,
        };
        frame::write_reply(&mut to, &head, &answer)?;
    }
    Ok(())
}

const NO_RENEWAL: &str = "a native instance is a process: start another process for a new one";

/// Nanoseconds of `CLOCK_MONOTONIC`, which the host's process shares. `Instant` does not expose its
/// value.
fn monotonic_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` outlives the call, which writes one timespec into it.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    assert_eq!(result, 0, "every Linux has CLOCK_MONOTONIC");
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

// A native library exports nothing: the executable is the artifact.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_for_target {
    ($function:ty) => {
        const _: fn(&[u8]) -> Vec<u8> = $crate::invoke_bytes::<$function>;
    };
}
