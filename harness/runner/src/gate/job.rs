//! The work of the gate, by host.

use std::collections::BTreeMap;

use lumos_model::cell::{Cell, Size, Storage, Target};

/// What one host examines: an artifact, with one cell for each of its inputs.
#[derive(Debug, PartialEq)]
pub(super) struct Job {
    pub(super) function: String,
    pub(super) target: Target,
    pub(super) cells: Vec<Cell>,
}

/// The jobs of `cells`: those that compile first, so that all workers end at about the same
/// time.
pub(super) fn jobs(cells: &[Cell]) -> Vec<Job> {
    let mut by_artifact: BTreeMap<(String, Target), BTreeMap<(Size, Storage), Cell>> =
        BTreeMap::new();
    for cell in cells {
        let inputs = by_artifact.entry((cell.function.clone(), cell.target.clone())).or_default();
        inputs.entry((cell.size, cell.storage)).or_insert_with(|| cell.clone());
    }
    let job = |((function, target), inputs): (_, BTreeMap<_, Cell>)| {
        let cells = inputs.into_values().collect();
        Job { function, target, cells }
    };
    let mut jobs: Vec<Job> = by_artifact.into_iter().map(job).collect();
    jobs.sort_by_key(|job| job.target.mode() != Some("jit"));
    jobs
}
