//! All that one run says, from one pass over its directory.

use std::collections::BTreeSet;

use lumos_model::cell::Cell;
use lumos_model::manifest::RunManifest;
use lumos_model::row::{Outcome, Row};
use lumos_model::warning::Warning;
use lumos_record::Run;

use crate::fairness::{Fairness, Observed, Sizes};
use crate::scenario::run_scenario;
use crate::summary::load::is_of_overload;
use crate::summary::{Gather, Summary};

/// Seed of the bootstrap for a run whose manifest names none.
const SEED: u64 = 42;

/// What a run says.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// Its numbers.
    pub summary: Summary,
    /// Whether it was fair.
    pub fairness: Fairness,
    /// What makes the numbers less clean than they could be.
    pub warnings: Vec<Warning>,
}

impl Analysis {
    /// Reads `run` and computes all of it.
    ///
    /// # Errors
    /// When rows or telemetry are damaged.
    pub fn of(run: &Run) -> anyhow::Result<Self> {
        let (mut gather, mut observed) = (Gather::default(), Observed::default());
        let mut control = ControlFailures::default();
        let mut rows = run.rows()?;
        for row in &mut rows {
            let row = row?;
            gather.add(&row);
            observed.add(&row);
            control.add(row);
        }
        for block in run.telemetry()? {
            let block = block?;
            gather.add_block(&block);
            observed.add_block(&block);
        }
        let manifest = run.manifest();
        let summary = gather.finish(manifest.map_or(SEED, |manifest| manifest.seed));
        let fairness = fairness(run, &observed);
        let mut warnings = manifest.map(|manifest| manifest.warnings.clone()).unwrap_or_default();
        warnings.extend(fairness.violations());
        if rows.is_cut_short() {
            warnings.push(Warning::CutShort { dir: run.dir().display().to_string() });
        }
        warnings.extend(manifest.and_then(|manifest| without_rows(manifest, &summary)));
        warnings.extend(control.warning());
        Ok(Self { summary, fairness, warnings })
    }

    /// Whether something that was to be measured failed.
    pub fn has_failures(&self) -> bool {
        let is_control = |warning: &Warning| matches!(warning, Warning::ControlFailures { .. });
        self.summary.cells.iter().any(|cell| cell.failed() > 0)
            || self.summary.load.iter().any(|load| load.is_broken())
            || self.warnings.iter().any(is_control)
    }
}

/// Without a manifest or a scenario there is nothing to check a run against.
fn fairness(run: &Run, observed: &Observed) -> Fairness {
    let Some(manifest) = run.manifest() else { return Fairness::default() };
    match run_scenario(run) {
        Ok(scenario) => Fairness::evaluate(manifest, &scenario, observed),
        Err(_) => Fairness { checks: Vec::new(), sizes: Sizes::of(&manifest.artifacts) },
    }
}

/// Cells that the manifest plans and that have no rows.
fn without_rows(manifest: &RunManifest, summary: &Summary) -> Option<Warning> {
    let measured: BTreeSet<&Cell> = summary.all_cells().collect();
    let missing: Vec<&Cell> =
        manifest.cells.iter().filter(|cell| !measured.contains(cell)).collect();
    let example = Box::new((*missing.first()?).clone());
    Some(Warning::NoRows { cells: missing.len(), planned: manifest.cells.len(), example })
}

/// Failures of the control pair, which stand in no cell of the summary.
#[derive(Default)]
struct ControlFailures {
    count: usize,
    example: Option<String>,
}

impl ControlFailures {
    fn add(&mut self, row: Row) {
        let is_overload = row.cell.load().is_some() && is_of_overload(row.sample.outcome);
        let is_served = matches!(row.sample.outcome, Outcome::Ok | Outcome::WrongStart);
        if row.control && !is_served && !is_overload {
            self.count += 1;
            self.example = self.example.take().or(row.sample.error);
        }
    }

    fn warning(self) -> Option<Warning> {
        let Self { count, example } = self;
        (count > 0).then_some(Warning::ControlFailures { count, example })
    }
}
