//! Failed invocations.

use std::collections::BTreeMap;

use lumos_analysis::summary::{CellSummary, Summary};
use lumos_model::cell::Target;
use lumos_model::row::Outcome;

use crate::names::{outcome_words, point};

/// Why a cell has no numbers: its most frequent outcome.
pub(crate) fn why_empty(cell: &CellSummary) -> &'static str {
    let most = cell.failures.iter().max_by_key(|(_, failure)| failure.count);
    outcome_words(most.map_or(Outcome::WrongStart, |(outcome, _)| *outcome))
}

/// The failures of one target with one outcome.
#[derive(Default)]
struct Group<'a> {
    cells: Vec<String>,
    example: Option<&'a str>,
}

/// The failures, a line for each target and outcome. Requests that an overload cost are in the
/// tables of load.
pub(crate) fn failures(summary: &Summary) -> Vec<String> {
    let mut groups: BTreeMap<(&Target, Outcome), Group> = BTreeMap::new();
    for cell in &summary.cells {
        for (outcome, count, example) in counts(cell) {
            let group = groups.entry((&cell.cell.target, outcome)).or_default();
            group.cells.push(format!("{} {count} of {}", point(&cell.cell), cell.invocations()));
            group.example = group.example.or(example);
        }
    }
    let line = |((target, outcome), group): ((&Target, Outcome), Group)| {
        let example = group.example.map(|text| format!(" (\"{text}\")")).unwrap_or_default();
        format!("{target} {}: {}{example}", outcome_words(outcome), group.cells.join(", "))
    };
    groups.into_iter().map(line).collect()
}

/// The outcomes of a cell that are reported, each with its count and an error message.
fn counts(cell: &CellSummary) -> impl Iterator<Item = (Outcome, usize, Option<&str>)> {
    let failures = cell.reported_failures();
    let failures = failures.map(|(outcome, of)| (outcome, of.count, of.example.as_deref()));
    let wrong = cell.each().map_or(0, |each| each.wrong_start);
    failures.chain((wrong > 0).then_some((Outcome::WrongStart, wrong, None)))
}
