//! The one reader of a run directory.

use std::path::{Path, PathBuf};

use lumos_model::files;
use lumos_model::manifest::RunManifest;

use crate::error::RecordError;
use crate::manifest;
use crate::rows::Rows;
use crate::telemetry::Telemetry;

/// A run directory, open for reading. Rows and telemetry are streamed, so that a run of a
/// million rows needs no more memory than what is made of them.
#[derive(Clone, Debug)]
pub struct Run {
    dir: PathBuf,
    manifest: Option<RunManifest>,
}

impl Run {
    /// Opens the run in `dir`.
    ///
    /// # Errors
    /// When the directory holds no rows, or its manifest cannot be read.
    pub fn open(dir: &Path) -> Result<Self, RecordError> {
        if !dir.join(files::ROWS).is_file() {
            return Err(RecordError::NoRun { dir: dir.to_owned(), missing: files::ROWS });
        }
        Ok(Self { dir: dir.to_owned(), manifest: manifest::read(dir)? })
    }

    /// The directory, as it was given.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The manifest; `None`: the directory holds rows alone.
    pub fn manifest(&self) -> Option<&RunManifest> {
        self.manifest.as_ref()
    }

    /// Where the scenario of the run is; it need not be there.
    pub fn scenario_path(&self) -> PathBuf {
        self.dir.join(files::SCENARIO)
    }

    /// The rows, in the order of the file.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn rows(&self) -> Result<Rows<std::io::BufReader<std::fs::File>>, RecordError> {
        Rows::open(&self.dir)
    }

    /// The telemetry of the complete blocks.
    ///
    /// # Errors
    /// When the file is there and cannot be opened.
    pub fn telemetry(&self) -> Result<Telemetry, RecordError> {
        Telemetry::open(&self.dir)
    }
}

/// The manifest of the run in `dir`, which need not have rows yet.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn read_manifest(dir: &Path) -> Result<RunManifest, RecordError> {
    manifest::read(dir)?
        .ok_or_else(|| RecordError::NoRun { dir: dir.to_owned(), missing: files::MANIFEST })
}
