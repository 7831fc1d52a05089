//! The run directory: what a run leaves behind.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use lumos_host::cgroup::Counters;
use lumos_model::SCHEMA;
use lumos_model::cell::Cell;
use lumos_model::row::Row;
use serde::{Deserialize, Serialize};

use crate::plan::Block;
use crate::rows;

const SCENARIO: &str = "scenario.toml";
const MANIFEST: &str = "manifest.json";
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
}

/// What identifies a block within a run.
pub type BlockId = (Cell, u32, bool);

/// A run's folder, open for appending.
pub struct RunDir {
    path: PathBuf,
    rows: File,
    telemetry: File,
}

impl RunDir {
    /// Makes a new folder with the scenario as it was read.
    ///
    /// # Errors
    /// When it exists already or cannot be written.
    pub fn create(path: &Path, scenario: &str) -> anyhow::Result<Self> {
        if path.join(rows::FILE).exists() {
            bail!(
                "{} holds a run already: give another --out, or go on with --resume",
                path.display()
            );
        }
        let context = || format!("cannot write to {}", path.display());
        std::fs::create_dir_all(path).with_context(context)?;
        std::fs::write(path.join(SCENARIO), scenario).with_context(context)?;
        Self::open_files(path)
    }

    /// Opens the folder of a run that was ended early; returns its complete blocks.
    /// Rows of incomplete blocks are removed: they will be measured again.
    ///
    /// # Errors
    /// When it is no run's folder or cannot be written.
    pub fn resume(path: &Path) -> anyhow::Result<(Self, HashSet<BlockId>)> {
        if !path.join(SCENARIO).is_file() {
            bail!("{} is no run directory: it has no {SCENARIO}", path.display());
        }
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
        Ok((Self::open_files(path)?, done))
    }

    fn open_files(path: &Path) -> anyhow::Result<Self> {
        let append = |name: &str| {
            let file = path.join(name);
            let opened = OpenOptions::new().create(true).append(true).open(&file);
            opened.with_context(|| format!("cannot write {}", file.display()))
        };
        let (rows, telemetry) = (append(rows::FILE)?, append(TELEMETRY)?);
        Ok(Self { path: path.to_owned(), rows, telemetry })
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
        let context = || {
            format!(
                "cannot write to {}: make room, then go on with `lumos run --resume {}`",
                self.path.display(),
                self.path.display()
            )
        };
        self.rows.write_all(&lines).with_context(context)?;
        let mut line = serde_json::to_vec(telemetry)?;
        line.push(b'\n');
        self.telemetry.write_all(&line).with_context(context)
    }

    /// Writes a file of the folder as a whole: never half of it.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn write(&self, name: &str, content: &[u8]) -> anyhow::Result<PathBuf> {
        let (path, temporary) = (self.path.join(name), self.path.join(format!(".{name}.tmp")));
        std::fs::write(&temporary, content)
            .and_then(|()| std::fs::rename(&temporary, &path))
            .with_context(|| format!("cannot write {}", path.display()))?;
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
    /// How control groups are mounted; absent: not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup_mode: Option<String>,
    /// Versions of the runtimes, by runtime.
    pub versions: BTreeMap<String, BTreeMap<String, String>>,
    /// The artifacts that were measured.
    pub artifacts: Vec<lumos_model::artifact::Artifact>,
    /// The inputs' hashes, by key.
    pub inputs_sha256: BTreeMap<String, String>,
    /// How each target's mode was shown, by function and target.
    pub proofs: Vec<Proof>,
    /// The outputs that all targets agreed on.
    pub outputs: Vec<Output>,
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

/// Rewrites a file so that it holds only the lines that `keep` wants.
fn keep_lines(path: &Path, mut keep: impl FnMut(&str) -> bool) -> anyhow::Result<()> {
    let Ok(file) = File::open(path) else { return Ok(()) };
    let temporary = path.with_extension("jsonl.tmp");
    let context = || format!("cannot write {}", temporary.display());
    let mut kept = std::io::BufWriter::new(File::create(&temporary).with_context(context)?);
    for line in BufReader::new(file).split(b'\n') {
        let line = line?;
        if std::str::from_utf8(&line).is_ok_and(&mut keep) {
            kept.write_all(&line).and_then(|()| kept.write_all(b"\n")).with_context(context)?;
        }
    }
    kept.into_inner().map_err(|e| e.into_error()).with_context(context)?.sync_all()?;
    std::fs::rename(&temporary, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Rows of a block from its samples.
pub fn rows_of(block: &Block, samples: Vec<lumos_model::row::Sample>) -> Vec<Row> {
    let row = |sample| Row {
        schema: SCHEMA,
        cell: block.cell.clone(),
        block: block.block,
        order: block.order,
        control: block.control,
        sample,
    };
    samples.into_iter().map(row).collect()
}
