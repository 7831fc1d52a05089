//! `lumos list`: what can be measured, and with what.

mod functions;
mod listing;
mod scenarios;
mod targets;

use std::io::Write;
use std::path::PathBuf;

use lumos_runner::hosts::discover;

use crate::arguments::{ArtifactsFolder, Format};
use crate::exit::Exit;

/// List the functions, the targets of this machine, or the scenarios
#[derive(Debug, clap::Args)]
pub(super) struct ListCommand {
    /// What to list
    #[arg(value_enum)]
    what: What,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    artifacts: ArtifactsFolder,
    /// Folder of the scenarios
    #[arg(long, value_name = "DIR", default_value = "scenarios")]
    scenarios: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// The functions, their sizes, and the forms in which they are built
    Functions,
    /// The runtimes with their modes: what each can do here, or why it cannot run
    Targets,
    /// The scenarios in a folder
    Scenarios,
}

impl ListCommand {
    /// Writes the list to `out`.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let listing = match self.what {
            What::Functions => functions::list(self.artifacts.open()),
            What::Targets => targets::list(&discover()?),
            What::Scenarios => scenarios::list(&self.scenarios)?,
        };
        match self.format {
            Format::Text => out.write_all(listing.text.as_bytes())?,
            Format::Json => writeln!(out, "{:#}", listing.json)?,
        }
        Ok(Exit::Done)
    }
}
