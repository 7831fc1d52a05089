//! One of the two runs that are compared, as its directory holds it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lumos_model::cell::Cell;
use lumos_model::files;
use lumos_model::fingerprint::Fingerprint;
use lumos_model::manifest::RunManifest;
use lumos_model::phase::Phase;
use lumos_model::row::Row;
use lumos_record::{RecordError, Run};
use lumos_scenario::scenario::Scenario;

use super::Metric;
use crate::scenario::run_scenario;
use crate::summary::gather::{Counted, counted};
use crate::summary::load::Period;

/// A run, read.
#[derive(Debug)]
pub struct Side {
    /// The run directory, as it was given.
    pub dir: PathBuf,
    /// Its manifest.
    pub manifest: RunManifest,
    /// Its scenario, with the options of the command applied.
    pub scenario: Scenario,
    /// Its samples.
    pub cells: BTreeMap<Cell, Samples>,
}

/// The counted samples of a cell.
#[derive(Debug, Default)]
pub struct Samples {
    /// In nanoseconds.
    pub measured: BTreeMap<Metric, Blocks>,
    /// Those of the control's blocks.
    pub control: BTreeMap<Metric, Blocks>,
    /// Invocations that failed.
    pub failures: usize,
}

/// Samples by block.
pub type Blocks = BTreeMap<u32, Vec<f64>>;

impl Samples {
    /// Whether any invocation counts.
    pub fn works(&self) -> bool {
        self.measured.contains_key(&Metric::Total)
    }

    /// The blocks of `metric`.
    pub fn blocks(&self, metric: Metric) -> Vec<Vec<f64>> {
        self.measured
            .get(&metric)
            .map(|blocks| blocks.values().cloned().collect())
            .unwrap_or_default()
    }

    fn add(&mut self, row: &Row) {
        match counted(row) {
            Counted::Yes => {}
            Counted::WrongStart => return,
            Counted::Failed => return self.failures += usize::from(!row.control),
        }
        let side = if row.control { &mut self.control } else { &mut self.measured };
        for &metric in Metric::ALL {
            if let Some(ns) = value(row, metric) {
                let blocks = side.entry(metric).or_default();
                blocks.entry(row.block).or_default().push(ns as f64);
            }
        }
    }
}

fn value(row: &Row, metric: Metric) -> Option<u64> {
    let sample = &row.sample;
    match metric {
        Metric::Total => Some(sample.total_ns),
        Metric::ColdStart => row.cell.start().is_cold().then(|| sample.phases_ns.cold_start()),
        Metric::Compute => Some(sample.phases_ns.get(Phase::Compute)),
        Metric::Cpu => sample.cpu_ns,
        // Of a block and not of a row.
        Metric::PerResponse => None,
    }
}

impl Side {
    /// Reads the run directory `dir`.
    ///
    /// # Errors
    /// When it is no run directory, or is damaged.
    pub fn read(dir: &Path) -> anyhow::Result<Self> {
        let run = Run::open(dir)?;
        let manifest = run
            .manifest()
            .cloned()
            .ok_or_else(|| RecordError::NoRun { dir: dir.to_owned(), missing: files::MANIFEST })?;
        let scenario = run_scenario(&run)?;
        let mut cells: BTreeMap<Cell, Samples> = BTreeMap::new();
        let mut periods: BTreeMap<(Cell, bool, u32), Period> = BTreeMap::new();
        for row in run.rows()? {
            let row = row?;
            if row.cell.load().is_some() {
                let block = (row.cell.clone(), row.control, row.block);
                periods.entry(block).or_default().add(&row);
            }
            cells.entry(row.cell.clone()).or_default().add(&row);
        }
        for ((cell, control, block), period) in periods {
            let Some(throughput) = period.throughput().filter(|rate| *rate > 0.0) else { continue };
            let samples = cells.entry(cell).or_default();
            let side = if control { &mut samples.control } else { &mut samples.measured };
            let blocks = side.entry(Metric::PerResponse).or_default();
            blocks.insert(block, vec![1e9 / throughput]);
        }
        Ok(Self { dir: dir.to_owned(), manifest, scenario, cells })
    }

    /// The machine in one line.
    pub fn machine(&self) -> String {
        self.manifest.fingerprint.as_ref().map_or("unknown".to_owned(), Fingerprint::line)
    }

    /// The cells that both runs have rows of.
    pub fn common<'a>(&'a self, other: &'a Side) -> impl Iterator<Item = &'a Cell> + Clone {
        self.cells.keys().filter(|cell| other.cells.contains_key(*cell))
    }
}
