//! The subcommands: one file each, a `clap` struct whose doc comment is the help and a
//! `run` that says what the command does.
//!
//! To add one: `mod` it here, and add a variant to [`Command`] and a line to
//! [`Cli::run`].

mod artifacts;
mod compare;
mod doctor;
mod invoke;
mod list;
mod load;
mod plan;
pub mod report;
mod run;
mod serve;
pub mod shared;
mod trace;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lumos_runner::interrupt::Interrupted;

/// Measures serverless functions on one machine: native, containers, Wasmtime and
/// WasmEdge, with the same source, limits and inputs.
#[derive(Debug, Parser)]
#[command(name = "lumos", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunCommand),
    Plan(plan::Plan),
    Report(report::Report),
    Compare(compare::Compare),
    Invoke(invoke::Invoke),
    Serve(serve::Serve),
    Load(load::Load),
    Trace(trace::Trace),
    List(list::List),
    Doctor(doctor::Doctor),
    #[command(hide = true)]
    Artifacts(artifacts::Artifacts),
}

/// How a command ended, when it could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well: exit code 0.
    Done,
    /// A measured thing failed, a regression is confirmed, or nothing can be measured here:
    /// exit code 1.
    MeasuredFailure,
}

impl Cli {
    /// Runs the command; what is for people or programs to read goes to `out`.
    ///
    /// # Errors
    /// Bad usage or input, or a machine that cannot do what was asked.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        match &self.command {
            Command::Run(command) => command.run(out),
            Command::Invoke(command) => command.run(out),
            Command::Serve(command) => command.run(out),
            Command::Load(command) => command.run(out),
            Command::Trace(command) => command.run(out),
            Command::Plan(command) => command.run(out),
            Command::Report(command) => command.run(out),
            Command::Compare(command) => command.run(out),
            Command::List(command) => command.run(out),
            Command::Doctor(command) => command.run(out),
            Command::Artifacts(command) => command.run(out),
        }
    }
}

/// Parses the command line, runs the command, prints an error once.
pub fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let ended = Cli::parse().run(&mut out).and_then(|exit| Ok(out.flush().map(|()| exit)?));
    match ended {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::MeasuredFailure) => ExitCode::from(1),
        Err(error) if reader_left(&error) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error);
            let interrupted = error.chain().find_map(|cause| cause.downcast_ref::<Interrupted>());
            ExitCode::from(interrupted.map_or(2, |interrupted| interrupted.exit_code()))
        }
    }
}

/// Whether `error` only says that the reader of our output has closed it (`| head`).
fn reader_left(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

fn print_error(error: &anyhow::Error) {
    eprintln!("error: {error}");
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if cause != said {
            eprintln!("  because: {cause}");
        }
        said = cause;
    }
}
