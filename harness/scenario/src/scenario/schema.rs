//! A scenario: the TOML file that describes an experiment, read and checked.
//!
//! Every key is documented in `scenarios/README.md`. A mistake is refused with its file,
//! line and column and a hint.

mod check;
mod error;
mod load;
mod parse;
mod parse_load;
mod reader;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use lumos_model::cell::{Isolation, Size, Start, Storage, Target};
use lumos_model::files;
use lumos_model::protocol::Limits;
use lumos_model::units::Span;
use serde::{Deserialize, Serialize};

pub use error::{Problem, ScenarioError};
pub use load::{LoadSettings, expected_requests, traffic_from};

use crate::selector::Selector;

/// An experiment as its file describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Short name; runs are called after it.
    pub name: String,
    /// What the experiment is for.
    pub description: Option<String>,
    /// Seed of all that is random: the order of blocks, inputs, intervals.
    pub seed: u64,
    /// Samples of a cell; of one under load its blocks.
    pub repetitions: u32,
    /// Samples of a block, at most [`repetitions`](Self::repetitions).
    pub block: u32,
    /// Samples of warm cells, which cost so much less than cold ones.
    pub warm: Sampling,
    /// Invocations before the first warm sample.
    pub warmup: u32,
    /// Pause before each cold sample.
    pub gap: Span,
    /// Time after which a block takes no further sample; its first one is always taken.
    pub budget: Option<Span>,
    /// How long a connection to the storage lives.
    pub connection: Connection,
    /// The cells before exclusion.
    pub matrix: Matrix,
    /// The load on the cells' pools; absent: one invocation at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadSettings>,
    /// Bounds on each instance.
    pub limits: Limits,
    /// Which cores are used.
    pub pinning: Pinning,
    /// Cells that are left out on purpose.
    pub exclude: Vec<Exclude>,
    /// Where the scenario was read from: the folder that relative paths in it start at.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// How often a cell is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampling {
    /// Samples of the cell.
    pub repetitions: u32,
    /// Samples of a block.
    pub block: u32,
}

/// Which cores are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pinning {
    /// Host, instances and Redis share the last core: with one invocation at a time they
    /// take turns anyway, and wake-ups from core to core do not add to the times.
    #[default]
    OneCore,
    /// The kernel decides.
    None,
}

impl Pinning {
    /// The core to pin to; `None`: this machine has but one, or none is wanted.
    pub fn core(self) -> Option<usize> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (self == Pinning::OneCore && cores > 1).then(|| cores - 1)
    }
}

/// The axes of an experiment; its cells are their product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matrix {
    /// The workloads; `all` is already resolved.
    pub functions: Vec<String>,
    /// Size groups.
    pub sizes: Vec<Size>,
    /// Runtimes with their modes.
    pub targets: Targets,
    /// Where instances live.
    pub isolation: Vec<Isolation>,
    /// Start kinds.
    pub start: Vec<Start>,
    /// Where inputs and outputs are.
    pub storage: Vec<Storage>,
}

/// The targets that a scenario asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Targets {
    /// Whatever the hosts of this machine offer.
    All,
    /// These, whether they are here or not.
    Named(Vec<Target>),
}

/// How long a connection to the storage lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Connection {
    /// One for each request, as in the paper.
    Request,
    /// One for each instance, kept open.
    Instance,
}

/// Cells that are left out on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclude {
    /// Which.
    pub cells: Selector,
    /// Why.
    pub reason: String,
}

impl Scenario {
    /// How often a cell of this start kind is measured.
    pub fn sampling(&self, start: Start) -> Sampling {
        match start {
            Start::Warm => self.warm,
            // Each block is one period of load.
            Start::Mixed => Sampling { repetitions: self.repetitions, block: 1 },
            _ => Sampling { repetitions: self.repetitions, block: self.block },
        }
    }

    /// The file of recorded arrivals, if the scenario has one: beside the scenario, or the
    /// copy in a run directory.
    pub fn trace(&self) -> Option<PathBuf> {
        Some(trace_place(&self.folder, self.load.as_ref()?.trace()?))
    }

    /// Reads the scenario at `path`; `functions` are the names that it may use. Returns
    /// the file's text too, so that a run can keep what it was started with.
    ///
    /// # Errors
    /// When the file cannot be read, or holds mistakes: all that were found.
    pub fn load(path: &Path, functions: &[&str]) -> Result<(Self, String), ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Read { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut scenario = Self::parse_in(&text, path, functions, Some(folder))?;
        scenario.folder = folder.to_owned();
        Ok((scenario, text))
    }

    /// Reads a scenario from `text`; `path` is only for messages, and other files are not
    /// looked for.
    ///
    /// # Errors
    /// When the text holds mistakes: all that were found.
    pub fn parse(text: &str, path: &Path, functions: &[&str]) -> Result<Self, ScenarioError> {
        Self::parse_in(text, path, functions, None)
    }

    fn parse_in(
        text: &str,
        path: &Path,
        functions: &[&str],
        folder: Option<&Path>,
    ) -> Result<Self, ScenarioError> {
        parse::parse(text, functions, folder).map_err(|mut problems| {
            problems.sort_by_key(|problem| problem.span.start);
            ScenarioError::Wrong { path: path.to_owned(), text: text.to_owned(), problems }
        })
    }

    /// Takes `repetitions` samples of each cell instead of what the file says; blocks
    /// that would be longer are shortened.
    pub fn set_repetitions(&mut self, repetitions: u32) {
        self.repetitions = repetitions.max(1);
        self.block = self.block.min(self.repetitions);
        self.warm.repetitions = self.repetitions;
        self.warm.block = self.warm.block.min(self.repetitions);
    }
}

/// Where the recorded arrivals `file` of a scenario in `folder` are. A run directory has a
/// copy, so that a run goes on with what it began with.
fn trace_place(folder: &Path, file: &Path) -> PathBuf {
    let copy = folder.join(files::TRACE);
    let is_run = folder.join(files::MANIFEST).is_file() && copy.is_file();
    if is_run { copy } else { folder.join(file) }
}
