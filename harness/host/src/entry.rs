//! The one call that a host's `main` makes.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use lumos_model::cell::Target;
use lumos_os::clock::monotonic_ns;
use lumos_runtime::engine::Engine;
use lumos_runtime::error::HostError;
use lumos_runtime::host_process::InstanceArgs;
use lumos_runtime::launcher::Launcher;
use nix::unistd::{dup, dup2_stdout};

use crate::backend::{Backend, EngineBackend, LauncherBackend};
use crate::{control, instance_process};

/// A lumos host process. `lumos` starts it; use it directly only to inspect it.
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
    /// Compile a module ahead of time; print the compiler and its flags as JSON.
    Compile {
        /// The target, such as wasmtime-aot.
        #[arg(long)]
        target: Target,
        /// The module.
        #[arg(long)]
        from: PathBuf,
        /// Where to write the code.
        #[arg(long)]
        to: PathBuf,
    },
}

/// Runs a host process whose instances live on `engine`.
pub fn run_engine<E: Engine>(engine: E) -> ExitCode {
    let entered_ns = monotonic_ns();
    report(match Args::parse().command {
        Command::Capabilities => print_json(&engine.capabilities()),
        Command::Control => {
            this_executable().and_then(|host| serve_control(&EngineBackend::new(engine, host)))
        }
        Command::Instance { args } => serve_instance(engine, &args, entered_ns),
        Command::Compile { target, from, to } => compile(&engine, &target, &from, &to),
    })
}

/// Runs a host process whose instances are started by `launcher`.
pub fn run_launcher(launcher: impl Launcher) -> ExitCode {
    report(match Args::parse().command {
        Command::Capabilities => print_json(&launcher.capabilities()),
        Command::Control => serve_control(&LauncherBackend::new(launcher)),
        Command::Instance { .. } => {
            Err(HostError::unsupported("the instances of this runtime are other executables"))
        }
        Command::Compile { target, .. } => {
            Err(HostError::unsupported(format!("{target} compiles nothing ahead of time")))
        }
    })
}

fn report(result: Result<(), HostError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn this_executable() -> Result<PathBuf, HostError> {
    std::env::current_exe().map_err(|e| HostError::system("find this executable", e))
}

fn serve_control(backend: &dyn Backend) -> Result<(), HostError> {
    let (stdin, stdout) = take_streams()?;
    control::serve(backend, File::from(stdin), File::from(stdout))
}

fn serve_instance<E: Engine>(engine: E, args: &str, entered_ns: u64) -> Result<(), HostError> {
    let args: InstanceArgs = serde_json::from_str(args).map_err(HostError::engine)?;
    let (stdin, stdout) = take_streams()?;
    instance_process::serve(Arc::new(engine), args, entered_ns, stdin, stdout)
}

fn compile<E: Engine>(
    engine: &E,
    target: &Target,
    from: &Path,
    to: &Path,
) -> Result<(), HostError> {
    let compiled = engine.compile(target, from, to)?;
    print_json(&serde_json::json!({ "compiler": compiled.compiler, "flags": compiled.flags }))
}

/// Takes the standard streams for the protocol. Output of the engine or of a guest goes to
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
