//! The directory of a run: a new one, or that of a run that was ended early.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::bail;
use lumos_model::files;
use lumos_model::manifest::RunManifest;
use lumos_model::row::BlockId;
use lumos_record::{RunWriter, read_manifest};
use lumos_scenario::Scenario;

use crate::manifest::utc_now;

/// The directory of a run.
#[derive(Clone, Debug)]
pub enum RunDirectory {
    /// It is created.
    New(PathBuf),
    /// It holds a run that was ended early and is continued.
    Resume(PathBuf),
}

impl RunDirectory {
    /// A new directory `results/NAME-TIME` for the scenario `name`.
    ///
    /// # Errors
    /// When the current folder is gone.
    pub fn new_in_results(name: &str) -> std::io::Result<Self> {
        let time = utc_now().replace(['-', ':'], "");
        let first = std::env::current_dir()?.join("results").join(format!("{name}-{time}"));
        let mut dir = first.clone();
        for number in 2.. {
            if !dir.exists() {
                break;
            }
            dir = first.with_file_name(format!("{name}-{time}-{number}"));
        }
        Ok(Self::New(dir))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::New(path) | Self::Resume(path) => path,
        }
    }

    /// Opens the directory for a run of `scenario`, whose file holds `text`. Returns the blocks
    /// that are complete. A run that is continued keeps the time at which it started, which
    /// this enters into `manifest`.
    pub(crate) fn open(
        &self,
        scenario: &Scenario,
        text: &str,
        manifest: &mut RunManifest,
    ) -> anyhow::Result<(RunWriter, HashSet<BlockId>)> {
        match self {
            Self::New(path) => {
                let trace = scenario.trace();
                let writer = RunWriter::create(path, text, trace.as_deref(), manifest)?;
                Ok((writer, HashSet::new()))
            }
            Self::Resume(path) => {
                let begun = read_manifest(path)?;
                check_unchanged(path, &begun, manifest)?;
                manifest.started = begun.started;
                Ok(RunWriter::resume(path)?)
            }
        }
    }
}

/// All samples of a run are of one build and one trace.
fn check_unchanged(dir: &Path, begun: &RunManifest, now: &RunManifest) -> anyhow::Result<()> {
    if begun.trace != now.trace {
        bail!(
            "{} changed after the run started: restore it, or start a new run",
            dir.join(files::TRACE).display()
        );
    }
    match now.artifacts.iter().find(|artifact| !begun.artifacts.contains(artifact)) {
        None => Ok(()),
        Some(changed) => bail!(
            "{} of {} was rebuilt after the run in {} started, and all samples of a run must be \
             of one build: start a new run",
            changed.form,
            changed.function,
            dir.display()
        ),
    }
}
