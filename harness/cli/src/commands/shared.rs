//! Arguments and tables that several commands have.

use std::path::{Path, PathBuf};

use anyhow::Context;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use lumos_runner::artifacts::{self, Artifacts};
use lumos_scenario::scenario::Scenario;
use lumos_scenario::selector::{Axis, Selector};

use crate::terminal::width;

/// For people or for programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Which part of a scenario is wanted.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Narrow {
    #[arg(long = "filter", value_name = "KEY=VALUE,..", help = filter_help())]
    filters: Vec<Selector>,
    /// Take N samples of each cell instead of what the scenario says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repetitions: Option<u32>,
}

/// The help of `--filter`.
fn filter_help() -> String {
    format!(
        "Only cells with these words: several values of a key are alternatives, different keys must \
         all match, `*` matches any text. Keys: {}",
        Axis::list()
    )
}

impl Narrow {
    /// Applies `--repetitions`.
    pub fn apply(&self, scenario: &mut Scenario) {
        if let Some(repetitions) = self.repetitions {
            scenario.set_repetitions(repetitions);
        }
    }

    /// All `--filter`s as one.
    pub fn filter(&self) -> Selector {
        let mut all = Selector::default();
        self.filters.iter().for_each(|filter| all.extend(filter));
        all
    }
}

/// Where the built functions are.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ArtifactsFolder {
    /// Folder of the built functions [default: target/artifacts beside this executable].
    #[arg(long = "artifacts", value_name = "DIR", env = "LUMOS_ARTIFACTS")]
    folder: Option<PathBuf>,
}

impl ArtifactsFolder {
    /// The folder that was asked for, or the default one.
    ///
    /// # Errors
    /// When the path of this executable cannot be read.
    pub fn path(&self) -> anyhow::Result<PathBuf> {
        match &self.folder {
            Some(folder) => Ok(folder.clone()),
            None => artifacts::default_folder().context("cannot tell where this executable is"),
        }
    }

    /// Opens the folder.
    ///
    /// # Errors
    /// When nothing is built there.
    pub fn open(&self) -> anyhow::Result<Artifacts> {
        Ok(Artifacts::open(&self.path()?)?)
    }
}

/// The names that a scenario may use for functions.
pub fn function_names() -> Vec<&'static str> {
    lumos_inputs::functions().iter().map(|function| function.name).collect()
}

/// The crates that the functions are built from: one may be several functions.
pub fn crate_names() -> Vec<&'static str> {
    let mut names: Vec<_> =
        lumos_inputs::functions().iter().map(|function| function.krate).collect();
    names.dedup();
    names
}

/// Reads the scenario at `path`; also returns its text.
///
/// # Errors
/// When it cannot be read or holds mistakes.
pub fn load_scenario(path: &Path) -> anyhow::Result<(Scenario, String)> {
    Ok(Scenario::load(path, &function_names())?)
}

/// A table for people, as wide as the terminal at most.
pub(super) fn table<'h>(header: impl IntoIterator<Item = &'h str>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    let width = u16::try_from(width()).unwrap_or(u16::MAX);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table
}

/// Aligns the columns of numbers to the right.
pub(super) fn align_right(table: &mut Table, columns: std::ops::Range<usize>) {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// The table's lines without the blanks at their ends.
pub(super) fn lines(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// `1 cell`, `2 cells`.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
