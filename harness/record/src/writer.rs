//! Writes a run directory: what a run leaves behind.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use lumos_model::files;
use lumos_model::manifest::RunManifest;
use lumos_model::row::{BlockId, Row};
use lumos_model::telemetry::BlockTelemetry;

use crate::atomic;
use crate::error::RecordError;

/// A run's folder, open for appending.
pub struct RunWriter {
    path: PathBuf,
    /// Locked as long as this lives.
    _lock: File,
    rows: File,
    telemetry: File,
}

impl RunWriter {
    /// Makes a new folder with the scenario as it was read, and a copy of its recorded
    /// arrivals. The scenario is written last:
    /// a folder that holds it can be resumed.
    ///
    /// # Errors
    /// When it exists already or cannot be written.
    pub fn create(
        path: &Path,
        scenario: &str,
        trace: Option<&Path>,
        manifest: &RunManifest,
    ) -> Result<Self, RecordError> {
        if path.join(files::ROWS).exists() {
            return Err(RecordError::Taken { dir: path.to_owned() });
        }
        std::fs::create_dir_all(path).map_err(|source| unwritten(path, source))?;
        if let Some(trace) = trace {
            let copy = path.join(files::TRACE);
            std::fs::copy(trace, &copy).map_err(|source| unwritten(&copy, source))?;
        }
        atomic::write(&path.join(files::MANIFEST), &json(manifest))?;
        atomic::write(&path.join(files::SCENARIO), scenario.as_bytes())?;
        let lock = lock(path)?;
        Self::open_files(path, lock)
    }

    /// Opens the folder of a run that was ended early; returns its complete blocks.
    /// Rows of incomplete blocks are removed: they will be measured again.
    ///
    /// # Errors
    /// When it is no run's folder, another process measures into it, or it cannot be
    /// written.
    pub fn resume(path: &Path) -> Result<(Self, HashSet<BlockId>), RecordError> {
        let lock = lock(path)?;
        let mut done = HashSet::new();
        // A line that was cut short completes nothing, and must not stand before others.
        keep_lines(&path.join(files::TELEMETRY), |line| {
            serde_json::from_str(line)
                .is_ok_and(|block: BlockTelemetry| done.insert(block.block_id()))
        })?;
        keep_lines(&path.join(files::ROWS), |line| {
            serde_json::from_str(line).is_ok_and(|row: Row| done.contains(&row.block_id()))
        })?;
        Ok((Self::open_files(path, lock)?, done))
    }

    fn open_files(path: &Path, lock: File) -> Result<Self, RecordError> {
        let append = |name: &str| {
            let file = path.join(name);
            let opened = OpenOptions::new().create(true).append(true).open(&file);
            opened.map_err(|source| unwritten(&file, source))
        };
        let (rows, telemetry) = (append(files::ROWS)?, append(files::TELEMETRY)?);
        Ok(Self { path: path.to_owned(), _lock: lock, rows, telemetry })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a block's rows, then the line that completes it.
    ///
    /// # Errors
    /// When the disk is full or gone; what was written before is kept.
    pub fn append(&mut self, rows: &[Row], telemetry: &BlockTelemetry) -> Result<(), RecordError> {
        let mut lines = Vec::new();
        for row in rows {
            serde_json::to_writer(&mut lines, row).expect("a row is plain data");
            lines.push(b'\n');
        }
        let failed = |name: &str, source| unwritten(&self.path.join(name), source);
        self.rows.write_all(&lines).map_err(|source| failed(files::ROWS, source))?;
        let mut line = serde_json::to_vec(telemetry).expect("telemetry is plain data");
        line.push(b'\n');
        self.telemetry.write_all(&line).map_err(|source| failed(files::TELEMETRY, source))
    }

    /// Writes a file of the folder as a whole: never half of it.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf, RecordError> {
        let path = self.path.join(name);
        atomic::write(&path, content)?;
        Ok(path)
    }

    /// Writes `manifest.json`.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn write_manifest(&self, manifest: &RunManifest) -> Result<(), RecordError> {
        self.write(files::MANIFEST, &json(manifest)).map(|_| ())
    }

    /// The scenario that the run was started with.
    pub fn scenario_path(&self) -> PathBuf {
        self.path.join(files::SCENARIO)
    }
}

/// Has one process at a time measure into a run's folder. The lock goes with the process,
/// however that ends; a file system that knows no locks has none.
fn lock(path: &Path) -> Result<File, RecordError> {
    let scenario = path.join(files::SCENARIO);
    let file = match File::open(&scenario) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(RecordError::NoRun { dir: path.to_owned(), missing: files::SCENARIO });
        }
        Err(source) => return Err(RecordError::Read { path: scenario, source }),
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(RecordError::Locked { dir: path.to_owned() }),
        Err(TryLockError::Error(_)) | Ok(()) => Ok(file),
    }
}

/// Rewrites a file so that it holds only the lines that `keep` wants.
fn keep_lines(path: &Path, mut keep: impl FnMut(&str) -> bool) -> Result<(), RecordError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(RecordError::Read { path: path.to_owned(), source }),
    };
    let mut kept = Vec::with_capacity(text.len());
    for line in text.split(|byte| *byte == b'\n') {
        if std::str::from_utf8(line).is_ok_and(&mut keep) {
            kept.extend_from_slice(line);
            kept.push(b'\n');
        }
    }
    if kept == text { Ok(()) } else { atomic::write(path, &kept) }
}

fn json(manifest: &RunManifest) -> Vec<u8> {
    serde_json::to_vec_pretty(manifest).expect("a manifest is plain data")
}

fn unwritten(path: &Path, source: io::Error) -> RecordError {
    RecordError::Write { path: path.to_owned(), source }
}
