//! What the gate found: which cells may be measured, and the outputs that they must have.

use std::collections::HashSet;

use lumos_model::cell::{Cell, Size, Storage, Target};
use lumos_model::manifest::{GateFailure, Output, Proof, RunManifest};
use lumos_model::row::{Outcome, Row, Sample};

/// What the gate found.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    /// How the mode of each artifact was proven.
    pub(super) proofs: Vec<Proof>,
    /// The outputs on which all targets agree.
    pub(super) outputs: Vec<Output>,
    /// What is wrong.
    pub(super) failures: Vec<GateFailure>,
    /// What must not be measured.
    pub(super) refused: HashSet<Subject>,
}

/// What the gate admits or refuses: an artifact with one of its inputs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Subject {
    pub(super) function: String,
    pub(super) size: Size,
    pub(super) storage: Storage,
    pub(super) target: Target,
}

impl Subject {
    pub(super) fn of(cell: &Cell) -> Self {
        let Cell { function, size, storage, target, .. } = cell.clone();
        Self { function, size, storage, target }
    }
}

impl Admission {
    /// Whether `cell` may be measured.
    pub(crate) fn admits(&self, cell: &Cell) -> bool {
        !self.refused.contains(&Subject::of(cell))
    }

    /// What is wrong with the cells that are not admitted.
    pub(crate) fn failures(&self) -> &[GateFailure] {
        &self.failures
    }

    /// Puts what the gate found into a manifest.
    pub(crate) fn record_in(&self, manifest: &mut RunManifest) {
        manifest.proofs.clone_from(&self.proofs);
        manifest.outputs.clone_from(&self.outputs);
        manifest.gate_failures.clone_from(&self.failures);
    }

    /// Turns rows of `cell` with another output than the gate's into failures.
    pub(crate) fn check_outputs(&self, cell: &Cell, rows: &mut [Row]) {
        let Some(expected) = self.expected(cell) else { return };
        for row in rows {
            let Sample { outcome, output_sha256, error, .. } = &mut row.sample;
            if *outcome == Outcome::Ok && output_sha256.as_deref() != Some(&expected.sha256) {
                *outcome = Outcome::Error;
                *error = Some("the output differs from that at the gate".to_owned());
            }
        }
    }

    /// The output that `cell` must have.
    fn expected(&self, cell: &Cell) -> Option<&Output> {
        self.outputs.iter().find(|output| {
            output.function == cell.function
                && output.size == cell.size
                && output.storage == cell.storage
        })
    }
}
