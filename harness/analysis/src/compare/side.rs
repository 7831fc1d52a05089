//! One of the two runs that are compared.

use std::path::{Path, PathBuf};

use lumos_model::cell::Cell;
use lumos_model::files;
use lumos_model::manifest::RunManifest;
use lumos_record::{RecordError, Run};
use lumos_scenario::scenario::Scenario;

use crate::gather::{Gather, Gathered};
use crate::scenario::run_scenario;

/// A run as a comparison needs it.
#[derive(Debug)]
pub struct Side {
    /// The run directory, as it was given.
    pub dir: PathBuf,
    /// Its manifest.
    pub manifest: RunManifest,
    /// Its scenario, with the options of the command applied.
    pub scenario: Scenario,
    /// Its rows.
    pub gathered: Gathered,
}

impl Side {
    /// Reads the run directory `dir`.
    ///
    /// # Errors
    /// When it is not a run directory, or is damaged.
    pub fn read(dir: &Path) -> anyhow::Result<Self> {
        let run = Run::open(dir)?;
        let manifest = run
            .manifest()
            .cloned()
            .ok_or_else(|| RecordError::NoRun { dir: dir.to_owned(), missing: files::MANIFEST })?;
        let scenario = run_scenario(&run)?;
        let mut gather = Gather::default();
        for row in run.rows()? {
            gather.add(&row?);
        }
        Ok(Self { dir: dir.to_owned(), manifest, scenario, gathered: gather.finish() })
    }

    /// The cells of which both runs have rows.
    pub fn common<'a>(&'a self, other: &'a Side) -> impl Iterator<Item = &'a Cell> + Clone {
        self.gathered.cells.keys().filter(|cell| other.gathered.cells.contains_key(*cell))
    }
}
