//! The scenario and its tables.

use std::path::PathBuf;

use lumos_model::cell::{Isolation, Size, Start, Storage, Target};
use lumos_model::protocol::Limits;
use lumos_model::units::Span;
use serde::{Deserialize, Serialize};

use super::load::LoadSettings;
use crate::selector::Selector;
use crate::trace_file;

/// An experiment as its file describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Short name; run directories are named after it.
    pub name: String,
    /// The purpose of the experiment.
    pub description: Option<String>,
    /// Seed of everything random: the order of blocks, inputs, arrivals, intervals.
    pub seed: u64,
    /// Samples of a cell; under load its blocks.
    pub repetitions: u32,
    /// Samples of a block, at most [`repetitions`](Self::repetitions).
    pub block: u32,
    /// Samples of warm cells, which cost much less than cold ones.
    pub warm: Sampling,
    /// Invocations before the first warm sample.
    pub warmup: u32,
    /// Pause before each cold sample.
    pub gap: Span,
    /// Time after which a block takes no further sample. The first sample is always taken.
    pub budget: Option<Span>,
    /// Lifetime of a connection to the storage.
    pub connection: Connection,
    /// The cells before exclusion.
    pub matrix: Matrix,
    /// The load on the cells' pools; without it, one invocation at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadSettings>,
    /// Limits of each instance.
    pub limits: Limits,
    /// The cores to use.
    pub pinning: Pinning,
    /// Cells that are left out on purpose.
    pub exclude: Vec<Exclude>,
    /// The folder of the file, from which relative paths in it start.
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

lumos_model::words! {
    /// The cores to use.
    #[derive(Default)]
    Pinning, "pinning" {
        /// Host, instances and Redis share the last core. With one invocation at a time they
        /// take turns anyway, and times do not include wake-ups of another core.
        #[default]
        OneCore = "one-core",
        /// The kernel decides.
        None = "none",
    }
}

impl Pinning {
    /// The core to pin to; `None` if there is only one, or without pinning.
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

/// The targets of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Targets {
    /// All targets of this machine's hosts.
    All,
    /// These, whether this machine has them or not.
    Named(Vec<Target>),
}

lumos_model::words! {
    /// Lifetime of a connection to the storage.
    Connection, "connection" {
        /// One for each request, as in the paper.
        Request = "request",
        /// One for each instance, kept open.
        Instance = "instance",
    }
}

/// Cells that are left out on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclude {
    /// Which cells.
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

    /// The file of recorded arrivals, if the scenario has one: next to the scenario, or the
    /// copy in a run directory.
    pub fn trace(&self) -> Option<PathBuf> {
        Some(trace_file::locate(&self.folder, self.load.as_ref()?.trace()?))
    }

    /// Sets the samples of each cell; blocks that would be longer are shortened.
    pub fn set_repetitions(&mut self, repetitions: u32) {
        self.repetitions = repetitions.max(1);
        self.block = self.block.min(self.repetitions);
        self.warm.repetitions = self.repetitions;
        self.warm.block = self.warm.block.min(self.repetitions);
    }
}
