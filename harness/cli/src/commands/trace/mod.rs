//! `lumos trace`: generates arrival times, or describes a file of them.

mod arguments;
mod describe;
mod generate;

use std::io::Write;

use clap::{Args, Subcommand};

use crate::exit::Exit;

/// Generate arrival times for `lumos load --trace`, or describe a file of them
#[derive(Debug, Args)]
pub(super) struct TraceCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Generate(generate::Generate),
    Describe(describe::Describe),
}

impl TraceCommand {
    /// Runs the subcommand.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        match &self.command {
            Command::Generate(command) => command.run(out),
            Command::Describe(command) => command.run(out),
        }
    }
}
