use std::io::Write;
use std::path::PathBuf;

use crate::commands::Exit;

/// Show the cells of a scenario, what cannot run and why, and what it will take.
#[derive(Debug, clap::Args)]
pub struct Plan {
    /// The scenario.
    file: PathBuf,
}

impl Plan {
    /// Writes the plan to `out`.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        writeln!(out, "{}", self.file.display())?;
        Ok(Exit::Done)
    }
}
