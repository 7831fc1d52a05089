//! The one reader of a run directory.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use lumos_model::files;
use lumos_model::manifest::RunManifest;

use crate::error::RecordError;
use crate::manifest;
use crate::rows::Rows;
use crate::telemetry::Telemetry;

/// A run directory, open for reading. Rows and telemetry are streamed: their number does not
/// determine how much memory a reader needs.
#[derive(Clone, Debug)]
pub struct Run {
    dir: PathBuf,
    manifest: Option<RunManifest>,
}

impl Run {
    /// Opens the run in `dir`.
    ///
    /// # Errors
    /// [`RecordError::NoRun`] when the directory holds no rows; [`RecordError::Read`],
    /// [`RecordError::Damaged`] or [`RecordError::Later`] when its manifest cannot be used.
    pub fn open(dir: &Path) -> Result<Self, RecordError> {
        if !dir.join(files::ROWS).is_file() {
            return Err(RecordError::NoRun { dir: dir.to_owned(), missing: files::ROWS });
        }
        Ok(Self { dir: dir.to_owned(), manifest: manifest::read(dir)? })
    }

    /// The directory, as it was passed to [`open`](Self::open).
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The manifest; `None` when the directory holds only rows.
    pub fn manifest(&self) -> Option<&RunManifest> {
        self.manifest.as_ref()
    }

    /// Where a run keeps its scenario. The file need not exist.
    pub fn scenario_path(&self) -> PathBuf {
        self.dir.join(files::SCENARIO)
    }

    /// The rows, in the order of the file.
    ///
    /// # Errors
    /// As [`Rows::open`]; each row can be a [`RecordError::CorruptLine`] or
    /// [`RecordError::Later`].
    pub fn rows(&self) -> Result<Rows<BufReader<File>>, RecordError> {
        Rows::open(&self.dir)
    }

    /// The telemetry of the complete blocks.
    ///
    /// # Errors
    /// [`RecordError::Read`] when the file exists and cannot be opened; each block can be a
    /// [`RecordError::CorruptLine`] or [`RecordError::Later`].
    pub fn telemetry(&self) -> Result<Telemetry, RecordError> {
        Telemetry::open(&self.dir)
    }
}

/// The manifest of the run in `dir`, which need not have rows yet.
///
/// # Errors
/// [`RecordError::NoRun`] when there is none; [`RecordError::Read`], [`RecordError::Damaged`]
/// or [`RecordError::Later`] when it cannot be used.
pub fn read_manifest(dir: &Path) -> Result<RunManifest, RecordError> {
    let no_run = || RecordError::NoRun { dir: dir.to_owned(), missing: files::MANIFEST };
    manifest::read(dir)?.ok_or_else(no_run)
}

/// The scenario's file of the run in `dir`.
///
/// # Errors
/// [`RecordError::NoRun`] when there is none: the run cannot be resumed.
pub fn find_scenario(dir: &Path) -> Result<PathBuf, RecordError> {
    let path = dir.join(files::SCENARIO);
    match path.is_file() {
        true => Ok(path),
        false => Err(RecordError::NoRun { dir: dir.to_owned(), missing: files::SCENARIO }),
    }
}
