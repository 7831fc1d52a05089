//! The run directory: what a run leaves behind.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use lumos_host::cgroup::Counters;
use lumos_model::SCHEMA;
use lumos_model::cell::Cell;
use lumos_model::row::{Row, Taint};
use serde::{Deserialize, Serialize};

use crate::block::load::PoolTelemetry;
use crate::environment::{BlockHealth, Fingerprint};
use crate::plan::Block;
use crate::rows;
use crate::scenario::TRACE_COPY;

const SCENARIO: &str = "scenario.toml";
/// The file of a run directory that says what was measured where.
pub(crate) const MANIFEST: &str = "manifest.json";
const TELEMETRY: &str = "telemetry.jsonl";

/// A line of `telemetry.jsonl`: what was read at the edges of a block. It is written
/// after the block's rows, so it also says that they are complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockTelemetry {
    /// Version of the file format.
    pub schema: u32,
    /// The point of the experiment.
    pub cell: Cell,
    /// Number of the block within the cell.
    pub block: u32,
    /// Position of the block in the run.
    pub order: u32,
    /// Whether it belongs to the control pair.
    pub control: bool,
    /// Rows that the block has.
    pub rows: u32,
    /// Milliseconds that the block took, host start and warm-up included.
    pub wall_ms: u64,
    /// What ended the host of a first attempt, whose samples are lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// Why the block could not be measured, if it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Counters of each instance's cgroup over the block.
    pub instances: Vec<Counters>,
    /// Counters of the host process.
    pub host: Counters,
    /// Counters of the host's cgroup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_cgroup: Option<Counters>,
    /// How the machine was doing.
    #[serde(default)]
    pub health: BlockHealth,
    /// What of that taints the block's rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    /// Of a block under load: what its pool did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolTelemetry>,
}

/// The recorded arrivals of a run, of which its directory has a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// As the scenario names the file.
    pub file: PathBuf,
    /// Its hash.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// What identifies a block within a run.
pub type BlockId = (Cell, u32, bool);

/// A run's folder, open for appending.
pub struct RunDir {
    path: PathBuf,
    /// Locked as long as this lives.
    _lock: File,
    rows: File,
    telemetry: File,
}

impl RunDir {
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
    ) -> anyhow::Result<Self> {
        if path.join(rows::FILE).exists() {
            bail!(
                "{} holds a run already: give another --out, or go on with \
                 `lumos run --resume {}`",
                path.display(),
                path.display()
            );
        }
        std::fs::create_dir_all(path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        if let Some(trace) = trace {
            let copy = path.join(TRACE_COPY);
            std::fs::copy(trace, &copy).with_context(|| {
                format!("cannot copy {} to {}", trace.display(), copy.display())
            })?;
        }
        write_whole(&path.join(MANIFEST), &serde_json::to_vec_pretty(manifest)?)?;
        write_whole(&path.join(SCENARIO), scenario.as_bytes())?;
        let lock = lock(path)?;
        Self::open_files(path, lock)
    }

    /// Opens the folder of a run that was ended early; returns its complete blocks.
    /// Rows of incomplete blocks are removed: they will be measured again.
    ///
    /// # Errors
    /// When it is no run's folder, another process measures into it, or it cannot be
    /// written.
    pub fn resume(path: &Path) -> anyhow::Result<(Self, HashSet<BlockId>)> {
        let lock = lock(path)?;
        let mut done = HashSet::new();
        // A line that was cut short completes nothing, and must not stand before others.
        keep_lines(&path.join(TELEMETRY), |line| {
            serde_json::from_str(line).is_ok_and(|block: BlockTelemetry| {
                done.insert((block.cell, block.block, block.control))
            })
        })?;
        keep_lines(&path.join(rows::FILE), |line| {
            serde_json::from_str(line)
                .is_ok_and(|row: Row| done.contains(&(row.cell, row.block, row.control)))
        })?;
        Ok((Self::open_files(path, lock)?, done))
    }

    fn open_files(path: &Path, lock: File) -> anyhow::Result<Self> {
        let append = |name: &str| {
            let file = path.join(name);
            let opened = OpenOptions::new().create(true).append(true).open(&file);
            opened.with_context(|| unwritten(&file))
        };
        let (rows, telemetry) = (append(rows::FILE)?, append(TELEMETRY)?);
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
    pub fn append(&mut self, rows: &[Row], telemetry: &BlockTelemetry) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        for row in rows {
            serde_json::to_writer(&mut lines, row)?;
            lines.push(b'\n');
        }
        self.rows.write_all(&lines).with_context(|| unwritten(&self.path.join(rows::FILE)))?;
        let mut line = serde_json::to_vec(telemetry)?;
        line.push(b'\n');
        self.telemetry.write_all(&line).with_context(|| unwritten(&self.path.join(TELEMETRY)))
    }

    /// Writes a file of the folder as a whole: never half of it.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn write(&self, name: &str, content: &[u8]) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        write_whole(&path, content)?;
        Ok(path)
    }

    /// Writes `manifest.json`.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn write_manifest(&self, manifest: &RunManifest) -> anyhow::Result<()> {
        self.write(MANIFEST, &serde_json::to_vec_pretty(manifest)?).map(|_| ())
    }

    /// The scenario that the run was started with.
    pub fn scenario_path(&self) -> PathBuf {
        self.path.join(SCENARIO)
    }
}

/// `manifest.json`: all that a reader must know to judge the numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunManifest {
    /// Version of the file format.
    pub schema: u32,
    /// The scenario's name.
    pub name: String,
    /// When the run started, UTC.
    pub started: String,
    /// Version of lumos.
    pub lumos: String,
    /// Seed of inputs and order.
    pub seed: u64,
    /// The machine and its settings; absent in runs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// How control groups are mounted; absent: not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup_mode: Option<String>,
    /// Versions of the runtimes, by runtime.
    pub versions: BTreeMap<String, BTreeMap<String, String>>,
    /// The artifacts that were measured, and the modules that AoT code was compiled from.
    pub artifacts: Vec<lumos_model::artifact::Artifact>,
    /// Hash of the lock file that all of them were built with; absent in runs of earlier
    /// versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub functions_lock_sha256: Option<String>,
    /// The inputs' hashes, by key.
    pub inputs_sha256: BTreeMap<String, String>,
    /// How each target's mode was shown, by function and target.
    pub proofs: Vec<Proof>,
    /// The outputs that all targets agreed on.
    pub outputs: Vec<Output>,
    /// The recorded arrivals, if the scenario has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// Options of the command that override the scenario.
    pub options: RunOptions,
    /// The cells that could run, in the plan's order.
    pub cells: Vec<Cell>,
    /// What the report says besides numbers.
    pub report: crate::report::RunInfo,
}

/// What `lumos run` was given beside the scenario; `--resume` uses it again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunOptions {
    /// `--filter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// `--repetitions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repetitions: Option<u32>,
}

/// The proof of a mode for one artifact.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proof {
    /// The function.
    pub function: String,
    /// What was seen.
    #[serde(flatten)]
    pub proof: lumos_model::protocol::ModeProof,
}

/// An output that all targets agreed on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The function.
    pub function: String,
    /// Size group of the input.
    pub size: lumos_model::cell::Size,
    /// Where input and output are.
    pub storage: lumos_model::cell::Storage,
    /// Hash of the response's body.
    pub sha256: String,
    /// Size of the response's body.
    pub bytes: u64,
    /// Hash of what the function stored, if it stores anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_sha256: Option<String>,
    /// How many targets agreed.
    pub targets: usize,
}

/// Reads the manifest of a run.
///
/// # Errors
/// When it is missing or not one.
pub fn read_manifest(dir: &Path) -> anyhow::Result<RunManifest> {
    let path = dir.join(MANIFEST);
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let manifest: RunManifest =
        serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))?;
    if manifest.schema > SCHEMA {
        bail!("{} was written by a later lumos (schema {})", path.display(), manifest.schema);
    }
    Ok(manifest)
}

/// Gives each complete block's telemetry to `take`; a line that was cut short is none.
///
/// # Errors
/// When the file cannot be read.
pub fn each_telemetry(dir: &Path, mut take: impl FnMut(BlockTelemetry)) -> anyhow::Result<()> {
    let path = dir.join(TELEMETRY);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    };
    for line in BufReader::new(file).split(b'\n') {
        let line = line.with_context(|| format!("cannot read {}", path.display()))?;
        if let Ok(block) = serde_json::from_slice(&line) {
            take(block);
        }
    }
    Ok(())
}

/// Has one process at a time measure into a run's folder. The lock goes with the process,
/// however that ends; a file system that knows no locks has none.
fn lock(path: &Path) -> anyhow::Result<File> {
    let scenario = path.join(SCENARIO);
    let file = match File::open(&scenario) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("{} is no run directory: it has no {SCENARIO}", path.display())
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", scenario.display()));
        }
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            bail!("another lumos measures into {}: let it end, or stop it", path.display())
        }
        Err(TryLockError::Error(_)) | Ok(()) => Ok(file),
    }
}

/// Rewrites a file so that it holds only the lines that `keep` wants.
fn keep_lines(path: &Path, mut keep: impl FnMut(&str) -> bool) -> anyhow::Result<()> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    };
    let mut kept = Vec::with_capacity(text.len());
    for line in text.split(|byte| *byte == b'\n') {
        if std::str::from_utf8(line).is_ok_and(&mut keep) {
            kept.extend_from_slice(line);
            kept.push(b'\n');
        }
    }
    if kept == text { Ok(()) } else { write_whole(path, &kept) }
}

/// Writes a file anew; a reader, and a crash, see the old one or the new one.
fn write_whole(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written.with_context(|| unwritten(path))
}

fn unwritten(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// Rows of a block from its samples.
pub fn rows_of(block: &Block, samples: Vec<lumos_model::row::Sample>) -> Vec<Row> {
    let row = |sample| Row {
        schema: SCHEMA,
        cell: block.cell.clone(),
        block: block.block,
        order: block.order,
        control: block.control,
        taints: Vec::new(),
        sample,
    };
    samples.into_iter().map(row).collect()
}
