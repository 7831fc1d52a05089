//! The summary of one cell: what all cells have, and the numbers of its demand.

use std::collections::BTreeMap;

use lumos_model::cell::Cell;
use lumos_model::row::{Outcome, Taint};
use serde::{Deserialize, Serialize};

use super::each::EachNumbers;
use super::load::LoadNumbers;
use super::ratio::Ratio;
use crate::gather::{ByDemand, Failure, GatheredCell, is_overload};

/// One cell of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellSummary {
    /// The point of the experiment.
    pub cell: Cell,
    /// Blocks that the numbers come from; under load all blocks.
    pub blocks: usize,
    /// Failed invocations, by how they ended.
    pub failures: BTreeMap<Outcome, Failure>,
    /// Invocations among [`observed`](Self::observed) that ran while something disturbed the
    /// machine. They count like the others.
    #[serde(default)]
    pub tainted: usize,
    /// The same by disturbance; an invocation may have several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub taints: BTreeMap<Taint, usize>,
    /// What was measured.
    #[serde(flatten)]
    pub numbers: Numbers,
    /// The total against that of `native`; under load the blocks' median latencies. Absent
    /// for `native` itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio_to_native: Option<Ratio>,
    /// Why there is no ratio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_no_ratio: Option<String>,
}

/// The numbers of a cell, by what was asked of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Numbers {
    /// Of one invocation at a time.
    Each(EachNumbers),
    /// Of a load on a pool of instances.
    Load(Box<LoadNumbers>),
}

impl CellSummary {
    /// All of a cell but what it is compared with.
    pub(super) fn of(cell: &Cell, gathered: &GatheredCell, seed: u64) -> Self {
        let own = &gathered.own;
        let (blocks, numbers) = match &own.by_demand {
            ByDemand::Each => {
                (own.samples.block_count(), Numbers::Each(EachNumbers::of(own, seed)))
            }
            ByDemand::Load(load) => {
                let numbers = LoadNumbers::of(own, load, &gathered.control);
                (load.periods.len(), Numbers::Load(Box::new(numbers)))
            }
        };
        Self {
            cell: cell.clone(),
            blocks,
            failures: own.failures.by_outcome(),
            tainted: own.taints.invocations,
            taints: own.taints.by_taint.clone(),
            numbers,
            ratio_to_native: None,
            why_no_ratio: None,
        }
    }

    /// The numbers, unless the cell is under load.
    pub fn each(&self) -> Option<&EachNumbers> {
        match &self.numbers {
            Numbers::Each(numbers) => Some(numbers),
            Numbers::Load(_) => None,
        }
    }

    /// The numbers of a load.
    pub fn load(&self) -> Option<&LoadNumbers> {
        match &self.numbers {
            Numbers::Load(numbers) => Some(numbers),
            Numbers::Each(_) => None,
        }
    }

    /// Invocations, failures included.
    pub fn invocations(&self) -> usize {
        match &self.numbers {
            Numbers::Each(each) => each.n + each.wrong_start + self.failed(),
            Numbers::Load(load) => load.requests,
        }
    }

    /// Invocations that the numbers come from.
    pub fn counted(&self) -> usize {
        match &self.numbers {
            Numbers::Each(each) => each.n,
            Numbers::Load(load) => load.ok,
        }
    }

    /// Invocations that [`tainted`](Self::tainted) is a part of: the counted ones, and under
    /// load all.
    pub fn observed(&self) -> usize {
        match &self.numbers {
            Numbers::Each(each) => each.n,
            Numbers::Load(load) => load.requests,
        }
    }

    /// Invocations that ended with `outcome`.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.failures.get(&outcome).map_or(0, |failure| failure.count)
    }

    /// Invocations in which the function failed. Under load, requests that were rejected,
    /// timed out or cancelled are signs of an overload and do not count.
    pub fn failed(&self) -> usize {
        let failed = self.failures.iter().filter(|(outcome, _)| self.is_failure(**outcome));
        failed.map(|(_, failure)| failure.count).sum()
    }

    /// Whether `outcome` is a failure of the function and not a sign of an overload.
    fn is_failure(&self, outcome: Outcome) -> bool {
        matches!(self.numbers, Numbers::Each(_)) || !is_overload(outcome)
    }

    /// Whether the cell did not work: the function failed, or a load got no good response.
    pub fn is_broken(&self) -> bool {
        self.failed() > 0 || self.load().is_some_and(|load| load.ok == 0)
    }

    /// The failures that a report lists: those of the function, and all when a load got no
    /// good response.
    pub fn reported_failures(&self) -> impl Iterator<Item = (Outcome, &Failure)> {
        let is_unanswered = self.load().is_some_and(|load| load.ok == 0);
        let is_reported = move |outcome| is_unanswered || self.is_failure(outcome);
        let failures = self.failures.iter().map(|(outcome, failure)| (*outcome, failure));
        failures.filter(move |(outcome, _)| is_reported(*outcome))
    }
}
