//! Cells that did not run, and cells without a ratio.

use std::collections::BTreeMap;

use lumos_analysis::summary::Summary;
use lumos_model::cell::{Cell, Target};

use crate::info::RunInfo;
use crate::lists::count;

/// The cells that could not run, a line for each reason.
pub(crate) fn refusals(info: &RunInfo) -> Vec<String> {
    let refused = info.refused.iter();
    by_reason(refused.map(|refused| (refused.reason.as_str(), &refused.cell)))
}

/// The cells without a ratio, a line for each reason. Cells that only failed are listed as
/// failures.
pub(crate) fn ratios(summary: &Summary) -> Vec<String> {
    let counted = summary.cells.iter().filter(|cell| cell.counted() > 0);
    by_reason(counted.filter_map(|cell| Some((cell.why_no_ratio.as_deref()?, &cell.cell))))
}

fn by_reason<'a>(cells: impl Iterator<Item = (&'a str, &'a Cell)>) -> Vec<String> {
    let mut reasons: BTreeMap<&str, BTreeMap<&Target, usize>> = BTreeMap::new();
    for (reason, cell) in cells {
        *reasons.entry(reason).or_default().entry(&cell.target).or_default() += 1;
    }
    let line = |(reason, targets): (&str, BTreeMap<&Target, usize>)| {
        let targets = targets.into_iter();
        let targets = targets.map(|(target, cells)| format!("{target} ({})", count(cells, "cell")));
        format!("{}: {reason}", targets.collect::<Vec<_>>().join(", "))
    };
    reasons.into_iter().map(line).collect()
}
