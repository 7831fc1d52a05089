//! Writes a run directory.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use lumos_model::files;
use lumos_model::manifest::RunManifest;
use lumos_model::row::{BlockId, Row};
use lumos_model::telemetry::BlockTelemetry;

use crate::atomic;
use crate::error::RecordError;
use crate::incomplete;
use crate::lock::RunLock;

/// A run directory, open for appending. No other process can open it while this lives.
#[derive(Debug)]
pub struct RunWriter {
    dir: PathBuf,
    _lock: RunLock,
    rows: File,
    telemetry: File,
}

impl RunWriter {
    /// Creates the run directory `dir` with the text of its scenario, its manifest, and a copy
    /// of the recorded arrivals in the file `trace`.
    ///
    /// The scenario is written last: a directory that has one can be resumed.
    ///
    /// # Errors
    /// [`RecordError::Taken`] when the directory already holds a run, [`RecordError::Write`]
    /// when it cannot be written.
    pub fn create(
        dir: &Path,
        scenario: &str,
        trace: Option<&Path>,
        manifest: &RunManifest,
    ) -> Result<Self, RecordError> {
        if dir.join(files::ROWS).exists() {
            return Err(RecordError::Taken { dir: dir.to_owned() });
        }
        std::fs::create_dir_all(dir).map_err(|source| unwritten(dir, source))?;
        if let Some(trace) = trace {
            let copy = dir.join(files::TRACE);
            atomic::copy(trace, &copy).map_err(|source| unwritten(&copy, source))?;
        }
        write_manifest(dir, manifest)?;
        atomic::write(&dir.join(files::SCENARIO), scenario.as_bytes())?;
        Self::open(dir, RunLock::acquire(dir)?)
    }

    /// Opens the directory of a run that was ended early, and returns its complete blocks. The
    /// rows of incomplete blocks are removed: those blocks are measured again.
    ///
    /// # Errors
    /// [`RecordError::NoRun`] when the directory holds no run, [`RecordError::Locked`] when
    /// another process measures into it, [`RecordError::Read`] or [`RecordError::Write`] when a
    /// file cannot be read or written.
    pub fn resume(dir: &Path) -> Result<(Self, HashSet<BlockId>), RecordError> {
        let lock = RunLock::acquire(dir)?;
        let complete = incomplete::remove(dir)?;
        Ok((Self::open(dir, lock)?, complete))
    }

    fn open(dir: &Path, lock: RunLock) -> Result<Self, RecordError> {
        let append = |name: &str| {
            let path = dir.join(name);
            let opened = OpenOptions::new().create(true).append(true).open(&path);
            opened.map_err(|source| unwritten(&path, source))
        };
        let (rows, telemetry) = (append(files::ROWS)?, append(files::TELEMETRY)?);
        Ok(Self { dir: dir.to_owned(), _lock: lock, rows, telemetry })
    }

    /// The run directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Appends the rows of a block, then the line of telemetry that completes the block.
    ///
    /// # Errors
    /// [`RecordError::Write`] when the disk is full or gone. Complete blocks are kept.
    pub fn append(&mut self, rows: &[Row], telemetry: &BlockTelemetry) -> Result<(), RecordError> {
        let mut lines = Vec::new();
        for row in rows {
            serde_json::to_writer(&mut lines, row).expect("a row is plain data");
            lines.push(b'\n');
        }
        let failed = |name: &str, source| unwritten(&self.dir.join(name), source);
        self.rows.write_all(&lines).map_err(|source| failed(files::ROWS, source))?;
        let mut line = serde_json::to_vec(telemetry).expect("telemetry is plain data");
        line.push(b'\n');
        self.telemetry.write_all(&line).map_err(|source| failed(files::TELEMETRY, source))
    }

    /// Replaces `manifest.json`.
    ///
    /// # Errors
    /// [`RecordError::Write`] when the disk is full or gone.
    pub fn write_manifest(&self, manifest: &RunManifest) -> Result<(), RecordError> {
        write_manifest(&self.dir, manifest)
    }
}

fn write_manifest(dir: &Path, manifest: &RunManifest) -> Result<(), RecordError> {
    let json = serde_json::to_vec_pretty(manifest).expect("a manifest is plain data");
    atomic::write(&dir.join(files::MANIFEST), &json)
}

fn unwritten(path: &Path, source: io::Error) -> RecordError {
    RecordError::Write { path: path.to_owned(), source }
}
