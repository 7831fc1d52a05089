//! `lumos report`: the numbers of a run, from its rows alone.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use lumos_model::cell::Cell;
use serde_json::Value;

use crate::commands::Exit;
use crate::fairness::{Fairness, Observed};
use crate::report::{self, Format, RunInfo};
use crate::rows::{self, Rows};
use crate::store;
use crate::summary::{Gather, Summary};

/// Width of a report that does not go to a terminal.
const WIDTH: usize = 120;
/// Seed of the bootstrap for a run whose manifest names none.
const SEED: u64 = 42;

/// Show the numbers of a run, computed from its rows.
#[derive(Debug, clap::Args)]
pub struct Report {
    /// The run directory.
    dir: PathBuf,
    /// In which form.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Also write summary.json and report.md into the run directory.
    #[arg(long)]
    write: bool,
}

impl Report {
    /// Writes the report to `out`.
    ///
    /// # Errors
    /// When there is no run at the place that was given, or its rows are damaged.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let (summary, mut info) = read(&self.dir)?;
        if self.write {
            write(&self.dir, &summary, &info)?;
            info.files.push(format!("{}/{{summary.json,report.md}}", self.dir.display()));
        }
        out.write_all(report::render(self.format, &summary, &info, width()).as_bytes())?;
        Ok(Exit::Done)
    }
}

/// Reads a run directory and computes its summary.
///
/// # Errors
/// When it is no run directory, or its rows are damaged.
pub fn read(dir: &Path) -> anyhow::Result<(Summary, RunInfo)> {
    if !dir.join(rows::FILE).is_file() {
        bail!(
            "{} is no run directory: it holds no {}; `lumos run` makes one",
            dir.display(),
            rows::FILE
        );
    }
    let manifest = manifest(dir)?;
    let mut info = RunInfo::from_manifest(&manifest);
    let mut rows = Rows::open(dir)?;
    let (mut gather, mut observed) = (Gather::default(), Observed::default());
    for row in &mut rows {
        let row = row?;
        gather.add(&row);
        observed.add(&row);
    }
    observed.read_telemetry(dir);
    if gather.has_load() {
        store::each_telemetry(dir, |block| gather.add_block(&block))?;
    }
    info.fairness = Fairness::of(dir, &observed);
    info.warnings.extend(info.fairness.violations());
    if rows.is_cut_short() {
        info.warnings.push(format!(
            "the last line of {} is incomplete and was left out: the run was killed; go on with \
             `lumos run --resume {}`",
            rows::FILE,
            dir.display()
        ));
    }
    let seed = manifest.get("seed").and_then(Value::as_u64).unwrap_or(SEED);
    let summary = gather.finish(seed);
    info.warnings.extend(unmeasured(&manifest, &summary));
    Ok((summary, info))
}

/// A line about cells that the manifest plans and that have no rows, if there are any.
fn unmeasured(manifest: &Value, summary: &Summary) -> Option<String> {
    let planned = manifest.get("cells").cloned().unwrap_or_default();
    let planned: Vec<Cell> = serde_json::from_value(planned).unwrap_or_default();
    let measured: BTreeSet<&Cell> = summary.all_cells().collect();
    let missing: Vec<&Cell> = planned.iter().filter(|cell| !measured.contains(cell)).collect();
    let first = missing.first()?;
    Some(format!(
        "{} of {} planned cells have no rows, {first} for one: the run was ended before them, or \
         their blocks could not be measured, as telemetry.jsonl says",
        missing.len(),
        planned.len()
    ))
}

/// Writes `summary.json` and `report.md` into a run directory.
///
/// # Errors
/// When a file cannot be written.
pub fn write(dir: &Path, summary: &Summary, info: &RunInfo) -> anyhow::Result<()> {
    for (name, format) in [("summary.json", Format::Json), ("report.md", Format::Md)] {
        let path = dir.join(name);
        let text = report::render(format, summary, info, WIDTH);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The run's manifest; `null` when there is none.
fn manifest(dir: &Path) -> anyhow::Result<Value> {
    let path = dir.join("manifest.json");
    match fs::read(&path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).with_context(|| format!("{} is no JSON", path.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Value::Null),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Columns of the terminal that the report goes to.
pub fn width() -> usize {
    console::Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| usize::from(columns))
}
