//! The commands: a file or folder each, with a `clap` struct whose doc comment is the help, and
//! a function `run` that shows what the command does.
//!
//! A new command needs a `mod` line here, a variant of `Command`, and a line in `Cli::run`.

mod artifacts;
mod compare;
mod doctor;
mod invoke;
mod list;
mod load;
mod plan;
mod report;
mod run;
mod serve;
mod trace;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::exit::{Exit, exit_code};

/// Measure serverless functions on one machine, natively and in WebAssembly runtimes, with the
/// same source, limits and inputs
#[derive(Debug, Parser)]
#[command(name = "lumos", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunCommand),
    Plan(plan::PlanCommand),
    Report(report::ReportCommand),
    Compare(compare::CompareCommand),
    Invoke(invoke::InvokeCommand),
    Serve(serve::ServeCommand),
    Load(load::LoadCommand),
    Trace(trace::TraceCommand),
    List(list::ListCommand),
    Doctor(doctor::DoctorCommand),
    #[command(hide = true)]
    Artifacts(artifacts::ArtifactsCommand),
}

impl Cli {
    /// Runs the command; its result goes to `out`.
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        match &self.command {
            Command::Run(command) => command.run(out),
            Command::Plan(command) => command.run(out),
            Command::Report(command) => command.run(out),
            Command::Compare(command) => command.run(out),
            Command::Invoke(command) => command.run(out),
            Command::Serve(command) => command.run(out),
            Command::Load(command) => command.run(out),
            Command::Trace(command) => command.run(out),
            Command::List(command) => command.run(out),
            Command::Doctor(command) => command.run(out),
            Command::Artifacts(command) => command.run(out),
        }
    }
}

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let result = Cli::parse().run(&mut out);
    exit_code(result.and_then(|exit| Ok(out.flush().map(|()| exit)?)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_arguments_of_all_commands_are_consistent() {
        Cli::command().debug_assert();
    }
}
