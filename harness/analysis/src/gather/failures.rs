//! Failed invocations, by outcome.

use std::collections::BTreeMap;

use lumos_model::row::{Outcome, Row};
use serde::{Deserialize, Serialize};

/// The failures with one outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Number of invocations.
    pub count: usize,
    /// The first error message, by block and position in the block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// All failures of a cell or of its control.
#[derive(Debug, Default)]
pub(crate) struct Failures(BTreeMap<Outcome, Tally>);

#[derive(Debug, Default)]
struct Tally {
    count: usize,
    /// Block, position and message of the first failure that has a message.
    first: Option<(u32, u32, String)>,
}

impl Failures {
    pub fn add(&mut self, row: &Row) {
        let tally = self.0.entry(row.sample.outcome).or_default();
        tally.count += 1;
        let Some(message) = &row.sample.error else { return };
        let place = (row.block, row.sample.seq, message);
        if tally.first.as_ref().is_none_or(|(b, s, m)| place < (*b, *s, m)) {
            tally.first = Some((place.0, place.1, message.clone()));
        }
    }

    /// Number of failures, whatever their outcome.
    pub fn count(&self) -> usize {
        self.0.values().map(|tally| tally.count).sum()
    }

    pub fn by_outcome(&self) -> BTreeMap<Outcome, Failure> {
        let failure = |tally: &Tally| Failure {
            count: tally.count,
            example: tally.first.as_ref().map(|(_, _, message)| message.clone()),
        };
        self.0.iter().map(|(outcome, tally)| (*outcome, failure(tally))).collect()
    }
}
