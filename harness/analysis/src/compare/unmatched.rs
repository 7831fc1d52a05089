//! Cells of which the runs do not both have what they should.

use std::collections::BTreeSet;

use lumos_model::cell::Cell;
use serde::Serialize;

use super::side::Side;
use crate::gather::GatheredCell;

/// A cell that is missing or fails in one of the runs.
#[derive(Clone, Debug, Serialize)]
pub struct Unmatched {
    /// The point of the experiment.
    pub cell: Cell,
    /// What is wrong.
    pub kind: UnmatchedKind,
    /// Failed invocations in the base run.
    pub base_failures: usize,
    /// Failed invocations in the new run.
    pub new_failures: usize,
}

/// What is wrong with an unmatched cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnmatchedKind {
    /// It worked in the base run, and no invocation of the new run counts.
    Broken,
    /// No invocation of the base run counts, and it works in the new run.
    Mended,
    /// It has no rows in the new run.
    OnlyInBase,
    /// It has no rows in the base run.
    OnlyInNew,
    /// It has more failures in the new run.
    MoreFailures,
}

impl UnmatchedKind {
    /// `None`: nothing is wrong.
    fn of(base: Option<&GatheredCell>, new: Option<&GatheredCell>) -> Option<Self> {
        let (Some(base), Some(new)) = (base, new) else {
            return Some(if new.is_none() { Self::OnlyInBase } else { Self::OnlyInNew });
        };
        let works = |cell: &GatheredCell| cell.own.samples.len() > 0;
        match (works(base), works(new)) {
            (true, false) => Some(Self::Broken),
            (false, true) => Some(Self::Mended),
            _ if failures(new) > failures(base) => Some(Self::MoreFailures),
            _ => None,
        }
    }
}

fn failures(cell: &GatheredCell) -> usize {
    cell.own.failures.count()
}

/// All such cells, the gravest first.
pub(super) fn unmatched(base: &Side, new: &Side) -> Vec<Unmatched> {
    let (base, new) = (&base.gathered.cells, &new.gathered.cells);
    let cells: BTreeSet<&Cell> = base.keys().chain(new.keys()).collect();
    let unmatched = |cell: &Cell| {
        let (of_base, of_new) = (base.get(cell), new.get(cell));
        Some(Unmatched {
            cell: cell.clone(),
            kind: UnmatchedKind::of(of_base, of_new)?,
            base_failures: of_base.map_or(0, failures),
            new_failures: of_new.map_or(0, failures),
        })
    };
    let mut list: Vec<Unmatched> = cells.into_iter().filter_map(unmatched).collect();
    list.sort_by(|a, b| (a.kind, &a.cell).cmp(&(b.kind, &b.cell)));
    list
}
