//! The comparison for people: what became slower and faster in full, the rest counted.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};
use lumos_analysis::compare::{
    CellComparison, Comparison, Metric, NoiseFloor, Unmatched, UnmatchedKind,
};
use lumos_analysis::summary::Verdict;
use lumos_model::cell::{Cell, Isolation, Size, Start, Storage};

use crate::numbers::{duration, percent};
use crate::text::{Notes, wrap};

/// Wider tables are hard to read.
const WIDEST: usize = 100;
/// Most rows of a table; the JSON has them all.
const MOST_ROWS: usize = 40;

/// What the cells of a row of counts share.
type Key = (Start, Size, Isolation, Storage, Metric);

/// Renders `comparison` for a terminal of `width` columns.
pub fn render(comparison: &Comparison, width: usize) -> String {
    let width = width.min(WIDEST);
    let mut out = heading(comparison, width);
    out.push_str(&counts(comparison));
    for verdict in [Verdict::Slower, Verdict::Faster] {
        out.push_str(&changed(comparison, verdict));
    }
    let mut notes = Notes::new(width);
    notes.add("Noise", &noise(comparison));
    notes.add("Level", &[level(comparison)]);
    notes.add("Unsure", &unsure(comparison));
    notes.add("Drift", &drift(comparison));
    notes.add("Cells", &unmatched(comparison));
    notes.add("Changed", &comparison.changed);
    notes.add("Caution", &comparison.warnings);
    out.push_str(&notes.finish());
    out
}

fn heading(comparison: &Comparison, width: usize) -> String {
    let runs = [("base", &comparison.base), ("new", &comparison.new)];
    let mut out = String::new();
    for (label, run) in runs {
        let text = format!("{label:<5} {} ({}, started {})", run.dir, run.name, run.started);
        wrap(&text, width).for_each(|line| out.push_str(&format!("{line}\n")));
    }
    out.push('\n');
    out
}

/// How many of each verdict, by what the cells share.
fn counts(comparison: &Comparison) -> String {
    let mut groups: BTreeMap<Key, [usize; 4]> = BTreeMap::new();
    for found in &comparison.cells {
        let Cell { size, isolation, storage, .. } = found.cell;
        let counts =
            groups.entry((found.cell.start(), size, isolation, storage, found.metric)).or_default();
        counts[column(found.verdict)] += 1;
    }
    let mut table = plain(["cells", "metric", "slower", "faster", "equivalent", "unsure"], 2);
    for ((start, size, isolation, storage, metric), counts) in &groups {
        let cells = format!("{start}, {size}, {isolation}, {storage}");
        let counts = counts.iter().map(|&count| match count {
            0 => "-".to_owned(),
            count => count.to_string(),
        });
        table.add_row([cells, metric_words(*metric).to_owned()].into_iter().chain(counts));
    }
    match groups.is_empty() {
        true => "No cell has samples in both runs.\n\n".to_owned(),
        false => format!("{}\n", lines(&table)),
    }
}

fn column(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Slower => 0,
        Verdict::Faster => 1,
        Verdict::Equivalent => 2,
        Verdict::Unsure => 3,
    }
}

/// The cells with this verdict, the greatest change first.
fn changed(comparison: &Comparison, verdict: Verdict) -> String {
    let mut found: Vec<&CellComparison> = comparison.with(verdict).collect();
    if found.is_empty() {
        return String::new();
    }
    let change = |found: &CellComparison| found.ratio.unwrap_or(1.0).ln().abs();
    found.sort_by(|a, b| change(b).total_cmp(&change(a)).then_with(|| a.cell.cmp(&b.cell)));
    let title = if verdict == Verdict::Slower { "Slower" } else { "Faster" };
    let header = ["cell", "metric", "base", "new", "new/base", "interval"];
    let mut table = plain(header, 2);
    for found in found.iter().take(MOST_ROWS) {
        let ratio = found.ratio.map_or(String::new(), |ratio| format!("{ratio:.3}"));
        let interval = found.interval.map(|[lo, hi]| format!("{lo:.3} .. {hi:.3}"));
        table.add_row([
            short(&found.cell),
            metric_words(found.metric).to_owned(),
            duration(found.base.median_ns),
            duration(found.new.median_ns),
            ratio,
            interval.unwrap_or_default(),
        ]);
    }
    let more = match found.len().saturating_sub(MOST_ROWS) {
        0 => String::new(),
        more => format!("and {more} more: see --format json\n"),
    };
    format!("{title} ({})\n{}{more}\n", found.len(), lines(&table))
}

/// A cell without what is the same in most runs: its storage, when that is `inline`.
fn short(cell: &Cell) -> String {
    let Cell { function, size, target, isolation, storage, .. } = cell;
    let storage = match storage {
        Storage::Inline => String::new(),
        storage => format!(" {storage}"),
    };
    let load = cell.load().map(|load| format!(" {load}")).unwrap_or_default();
    format!("{function} {size} {target} {isolation} {}{storage}{load}", cell.start())
}

/// A line for each metric that was compared.
fn noise(comparison: &Comparison) -> Vec<String> {
    let is_used = |metric: &Metric| comparison.cells.iter().any(|cell| cell.metric == *metric);
    let floors = comparison.noise_floors.iter().filter(|(metric, _)| is_used(metric));
    floors.map(|(metric, floor)| noise_of(*metric, floor, comparison.margin)).collect()
}

fn noise_of(metric: Metric, floor: &NoiseFloor, margin: f64) -> String {
    let parts = [("base", floor.base), ("new", floor.new), ("between the runs", floor.between)];
    let known: Vec<String> = parts
        .into_iter()
        .filter_map(|(name, floor)| Some(format!("{name} {}", percent(floor?))))
        .collect();
    let (metric, counts) = (metric_words(metric), percent(floor.floor.max(margin)));
    let margin = percent(margin);
    match known.is_empty() {
        true => format!(
            "{metric}: unknown, as neither run has a control pair; changes below {margin} \
             (--margin) are not called any"
        ),
        false => format!(
            "{metric}: native differs from itself by up to: {}; the margin is {margin}; changes \
             below {counts} are not called any",
            known.join(", ")
        ),
    }
}

fn metric_words(metric: Metric) -> &'static str {
    match metric {
        Metric::Total => "total",
        Metric::ColdStart => "cold start",
        Metric::Compute => "compute",
        Metric::Cpu => "CPU time",
        Metric::PerResponse => "time a response",
    }
}

fn level(comparison: &Comparison) -> String {
    let each = comparison.level_of_each * 100.0;
    format!(
        "{} comparisons hold together at {}: each interval is one at {each:.3} %",
        comparison.cells.len(),
        percent(comparison.level),
    )
}

/// Why comparisons could not be decided.
fn unsure(comparison: &Comparison) -> Vec<String> {
    let mut whys: BTreeMap<&str, usize> = BTreeMap::new();
    let mut widths = Vec::new();
    for found in comparison.with(Verdict::Unsure) {
        match (&found.why_unsure, found.interval) {
            (Some(why), _) => *whys.entry(why).or_default() += 1,
            (None, Some([lo, hi])) => widths.push((hi / lo).sqrt() - 1.0),
            (None, None) => {}
        }
    }
    let mut notes: Vec<String> = whys
        .iter()
        .map(|(why, count)| {
            format!("{count} without evidence ({why}): raise `repetitions` or lower `block`")
        })
        .collect();
    widths.sort_unstable_by(f64::total_cmp);
    if let (Some(least), Some(most)) = (widths.first(), widths.last()) {
        notes.push(format!(
            "{} whose interval allows both a change and none; they are wide by +-{} to +-{}: more \
             blocks, or a quieter machine (`lumos doctor`), make them narrower",
            widths.len(),
            percent(*least),
            percent(*most)
        ));
    }
    notes
}

fn drift(comparison: &Comparison) -> Vec<String> {
    let ratio = comparison.median_ratio.filter(|_| comparison.cells.len() > 2);
    let line = |ratio: f64| {
        format!(
            "the median of all ratios is {ratio:.3}; far from 1, the machine as a whole was {} in \
             the new run",
            if ratio > 1.0 { "slower" } else { "faster" }
        )
    };
    ratio.filter(|ratio| (ratio - 1.0).abs() > 0.01).map(line).into_iter().collect()
}

/// Cells that are not in both runs, and new failures, a line for each kind.
fn unmatched(comparison: &Comparison) -> Vec<String> {
    let mut kinds: BTreeMap<UnmatchedKind, Vec<&Unmatched>> = BTreeMap::new();
    for unmatched in &comparison.unmatched {
        kinds.entry(unmatched.kind).or_default().push(unmatched);
    }
    let line = |(kind, cells): (UnmatchedKind, Vec<&Unmatched>)| {
        let what = match kind {
            UnmatchedKind::Broken => "worked in the base run and fail now",
            UnmatchedKind::Mended => "failed in the base run and work now",
            UnmatchedKind::OnlyInBase => "only in the base run",
            UnmatchedKind::OnlyInNew => "only in the new run",
            UnmatchedKind::MoreFailures => "with more failures than in the base run",
        };
        let named = cells.iter().take(3).map(|unmatched| short(&unmatched.cell));
        let more = if cells.len() > 3 { ", .." } else { "" };
        format!("{} {what}: {}{more}", cells.len(), named.collect::<Vec<_>>().join(", "))
    };
    kinds.into_iter().map(line).collect()
}

/// A table whose first `words` columns are words and the others numbers.
fn plain<const N: usize>(header: [&str; N], words: usize) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding(if index == 0 { (0, 0) } else { (2, 0) });
        if index >= words {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn lines(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
