//! `lumos trace`: make arrival times, or say what is in a file of them.

mod describe;
mod generate;

use std::io::Write;

use clap::{Args, Subcommand};

use super::Exit;

/// Make arrival times for `lumos load --trace`, or say what is in a file of them.
#[derive(Debug, Args)]
pub struct Trace {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Generate(generate::Generate),
    Describe(describe::Describe),
}

impl Trace {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// Bad usage, or a file that cannot be read or written.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        match &self.command {
            Command::Generate(command) => command.run(out),
            Command::Describe(command) => command.run(out),
        }
    }
}
