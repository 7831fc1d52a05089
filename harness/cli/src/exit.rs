//! How a command ends: exit codes and errors.

use std::io;
use std::process::ExitCode;

use lumos_runner::interrupt::Interrupted;

/// How a command ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Exit code 0.
    Done,
    /// Exit code 1: a measured thing failed, a regression is confirmed, or nothing can be
    /// measured on this machine.
    MeasuredFailure,
}

/// Prints an error, once, and turns the result of a command into its exit code.
pub(crate) fn exit_code(result: anyhow::Result<Exit>) -> ExitCode {
    match result {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::MeasuredFailure) => ExitCode::from(1),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error);
            let interrupted = error.chain().find_map(|cause| cause.downcast_ref::<Interrupted>());
            ExitCode::from(interrupted.map_or(2, |interrupted| interrupted.exit_code()))
        }
    }
}

/// Whether the reader of our output closed it, as `| head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

fn print_error(error: &anyhow::Error) {
    eprintln!("error: {error}");
    let mut last = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if cause != last {
            eprintln!("  because: {cause}");
        }
        last = cause;
    }
}
