//! Counts of verdicts, and the cells that changed.

use std::collections::BTreeMap;

use lumos_analysis::compare::{CellComparison, Comparison};
use lumos_analysis::metric::Metric;
use lumos_model::cell::{Cell, Isolation, Size, Start, Storage};
use lumos_stats::Verdict;

use crate::lists::shorten;
use crate::names::{cell_name, metric_words};
use crate::numbers::quantity;
use crate::table::Table;
use crate::terminal::layout;

/// Longest table of changed cells. JSON has them all.
const MOST_ROWS: usize = 40;

/// What the cells of a row of counts share.
type Key = (Start, Size, Isolation, Storage, Metric);

/// The verdicts, in the order of the columns.
const VERDICTS: [Verdict; 4] =
    [Verdict::Slower, Verdict::Faster, Verdict::Equivalent, Verdict::Unsure];

/// The number of cells with each verdict, by what the cells share.
pub(super) fn counts(comparison: &Comparison, width: usize) -> String {
    let mut groups: BTreeMap<Key, Vec<Verdict>> = BTreeMap::new();
    for found in &comparison.cells {
        let Cell { size, isolation, storage, .. } = found.cell;
        let key = (found.cell.start(), size, isolation, storage, found.metric);
        groups.entry(key).or_default().push(found.verdict);
    }
    if groups.is_empty() {
        return "No cell has samples in both runs.\n\n".to_owned();
    }
    let header = ["cells", "metric", "slower", "faster", "equivalent", "unsure"];
    let mut table = Table::with_header(header, 2);
    for ((start, size, isolation, storage, metric), verdicts) in &groups {
        let cells = format!("{start}, {size}, {isolation}, {storage}");
        let number = |verdict: &Verdict| match verdicts.iter().filter(|v| *v == verdict).count() {
            0 => "-".to_owned(),
            number => number.to_string(),
        };
        let names = [cells, metric_words(*metric).to_owned()];
        table.push(names.into_iter().chain(VERDICTS.iter().map(number)));
    }
    layout(&table, width)
}

/// The cells with `verdict`, the greatest change first.
pub(super) fn changed(comparison: &Comparison, verdict: Verdict, width: usize) -> String {
    let mut found: Vec<&CellComparison> = comparison.with(verdict).collect();
    if found.is_empty() {
        return String::new();
    }
    let change = |found: &CellComparison| found.ratio.unwrap_or(1.0).ln().abs();
    found.sort_by(|a, b| change(b).total_cmp(&change(a)).then_with(|| a.cell.cmp(&b.cell)));
    let title = if verdict == Verdict::Slower { "Slower" } else { "Faster" };
    let (shown, left) = shorten(&found, MOST_ROWS);
    let mut table =
        Table::with_header(["cell", "metric", "base", "new", "new/base", "interval"], 2);
    shown.iter().for_each(|found| table.push(row(found)));
    let more = match left {
        0 => String::new(),
        more => format!("and {more} more: see --format json\n\n"),
    };
    format!("{title} ({})\n{}{more}", found.len(), layout(&table, width))
}

fn row(found: &CellComparison) -> [String; 6] {
    let interval = found.interval.map(|[lo, hi]| format!("{lo:.3} .. {hi:.3}"));
    [
        cell_name(&found.cell),
        metric_words(found.metric).to_owned(),
        quantity(found.base.median),
        quantity(found.new.median),
        found.ratio.map_or(String::new(), |ratio| format!("{ratio:.3}")),
        interval.unwrap_or_default(),
    ]
}
