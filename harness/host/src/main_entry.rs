//! The one call that a host's `main` makes.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use lumos_model::cell::Target;
use lumos_os::clock::monotonic_ns;
use lumos_runtime::engine::Runtime;
use lumos_runtime::error::HostError;
use lumos_runtime::launch::InstanceArgs;
use nix::unistd::{dup, dup2_stdout};

use crate::control;
use crate::instance_process;

/// A lumos host process. `lumos` starts it; people need it only to look at what it says.
#[derive(Parser)]
#[command(version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print what this host can do, as JSON.
    Capabilities,
    /// Answer requests of `lumos` on the standard streams.
    Control,
    /// Serve one instance on the standard streams.
    Instance {
        /// What to serve, as JSON.
        args: String,
    },
    /// Compile a module ahead of time; prints compiler and flags as JSON.
    Compile {
        /// The target, such as wasmtime-aot.
        #[arg(long)]
        target: Target,
        /// The module.
        #[arg(long)]
        from: PathBuf,
        /// Where the code goes.
        #[arg(long)]
        to: PathBuf,
    },
}

/// Runs a host process for `runtime`.
pub fn main<R: Runtime>(runtime: R) -> ExitCode {
    let entered_ns = monotonic_ns();
    match dispatch(Arc::new(runtime), Args::parse().command, entered_ns) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch<R: Runtime>(
    runtime: Arc<R>,
    command: Command,
    entered_ns: u64,
) -> Result<(), HostError> {
    match command {
        Command::Capabilities => print_json(&runtime.capabilities()),
        Command::Compile { target, from, to } => {
            let compiled = runtime.compile(&target, &from, &to)?;
            print_json(&serde_json::json!({
                "compiler": compiled.compiler,
                "flags": compiled.flags,
            }))
        }
        Command::Control => {
            let (stdin, stdout) = take_streams()?;
            control::serve(runtime, std::fs::File::from(stdin), std::fs::File::from(stdout))
        }
        Command::Instance { args } => {
            let args: InstanceArgs = serde_json::from_str(&args).map_err(HostError::engine)?;
            let (stdin, stdout) = take_streams()?;
            instance_process::serve(runtime.as_ref(), &args, entered_ns, stdin, stdout)
        }
    }
}

/// Takes the standard streams for the protocol; whatever engine or guest print goes to
/// standard error instead.
fn take_streams() -> Result<(OwnedFd, OwnedFd), HostError> {
    let failed = |e: nix::Error| HostError::system("take the standard streams", e);
    let stdin = dup(std::io::stdin()).map_err(failed)?;
    let stdout = dup(std::io::stdout()).map_err(failed)?;
    dup2_stdout(std::io::stderr()).map_err(failed)?;
    Ok((stdin, stdout))
}

fn print_json(value: &impl serde::Serialize) -> Result<(), HostError> {
    let mut stdout = std::io::stdout().lock();
    serde_json::to_writer(&mut stdout, value).map_err(HostError::engine)?;
    writeln!(stdout).map_err(|e| HostError::system("print", e))
}
