//! The one pass over a run directory.

use std::collections::BTreeSet;

use lumos_model::cell::Cell;
use lumos_model::manifest::RunManifest;
use lumos_model::warning::Warning;
use lumos_record::Run;

use crate::fairness::{Fairness, Observed};
use crate::gather::{Gather, Gathered};
use crate::scenario::run_scenario;
use crate::summary::Summary;

/// Seed of the bootstrap for a run without a manifest.
const SEED: u64 = 42;

/// What a run says.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The numbers.
    pub summary: Summary,
    /// The checks of its fairness.
    pub fairness: Fairness,
    /// Reasons to trust the numbers less, besides violated rules of fairness.
    pub warnings: Vec<Warning>,
}

impl Analysis {
    /// Reads `run` and computes everything.
    ///
    /// # Errors
    /// When rows or telemetry are damaged.
    pub fn of(run: &Run) -> anyhow::Result<Self> {
        let (mut gather, mut observed) = (Gather::default(), Observed::default());
        let mut rows = run.rows()?;
        for row in &mut rows {
            let row = row?;
            gather.add(&row);
            observed.add(&row);
        }
        for block in run.telemetry()? {
            let block = block?;
            gather.add_block(&block);
            observed.add_block(&block);
        }
        let gathered = gather.finish();
        let manifest = run.manifest();
        let summary = Summary::new(&gathered, manifest.map_or(SEED, |manifest| manifest.seed));
        let mut warnings = manifest.map(|manifest| manifest.warnings.clone()).unwrap_or_default();
        if rows.is_cut_short() {
            warnings.push(Warning::CutShort { dir: run.dir().display().to_string() });
        }
        warnings.extend(manifest.and_then(|manifest| cells_without_rows(manifest, &summary)));
        warnings.extend(control_failures(&gathered));
        Ok(Self { summary, fairness: fairness(run, &observed), warnings })
    }

    /// Whether something that should have been measured failed.
    pub fn has_failures(&self) -> bool {
        let is_control = |warning: &Warning| matches!(warning, Warning::ControlFailures { .. });
        self.summary.cells.iter().any(|cell| cell.is_broken())
            || self.warnings.iter().any(is_control)
    }
}

/// Without a manifest there is nothing to check a run against.
fn fairness(run: &Run, observed: &Observed) -> Fairness {
    let Some(manifest) = run.manifest() else { return Fairness::default() };
    match run_scenario(run) {
        Ok(scenario) => Fairness::evaluate(manifest, &scenario, observed),
        Err(error) => Fairness::unchecked(manifest, error.to_string()),
    }
}

/// Cells that the manifest plans and that have no rows.
fn cells_without_rows(manifest: &RunManifest, summary: &Summary) -> Option<Warning> {
    let measured: BTreeSet<&Cell> = summary.cells.iter().map(|cell| &cell.cell).collect();
    let missing: Vec<&Cell> =
        manifest.cells.iter().filter(|cell| !measured.contains(cell)).collect();
    let example = Box::new((*missing.first()?).clone());
    Some(Warning::NoRows { cells: missing.len(), planned: manifest.cells.len(), example })
}

/// Failures of the control pairs, which are in no cell of the summary.
fn control_failures(gathered: &Gathered) -> Option<Warning> {
    let failures = gathered.control_failures();
    let count = failures.iter().map(|failure| failure.count).sum();
    let example = failures.into_iter().find_map(|failure| failure.example);
    (count > 0).then_some(Warning::ControlFailures { count, example })
}
