//! What to know before trusting the verdicts.

use std::collections::BTreeMap;

use lumos_analysis::compare::{Comparison, MetricNoise, Unmatched, UnmatchedKind};
use lumos_analysis::metric::Metric;
use lumos_stats::{Band, Margin, Verdict};

use crate::lists::joined;
use crate::names::{cell_name, metric_words};
use crate::numbers::percent;

/// Cells that a line names.
const MOST_CELLS: usize = 3;
/// A smaller drift of the whole machine is not reported.
const DRIFT: f64 = 0.01;

/// The noise of each metric that was compared, a line each.
pub(super) fn noise(comparison: &Comparison) -> Vec<String> {
    let is_used = |metric: &Metric| comparison.cells.iter().any(|cell| cell.metric == *metric);
    let floors = comparison.noise_floors.iter().filter(|(metric, _)| is_used(metric));
    floors.map(|(metric, noise)| noise_of(*metric, noise, comparison.margin)).collect()
}

fn noise_of(metric: Metric, noise: &MetricNoise, margin: Margin) -> String {
    let parts = [("base", noise.base), ("new", noise.new), ("between the runs", noise.between)];
    let known: Vec<String> = parts
        .into_iter()
        .filter_map(|(name, floor)| Some(format!("{name} {}", percent(floor?.fraction()))))
        .collect();
    let metric = metric_words(metric);
    let limit = percent(Band::new(margin, noise.floor).width());
    let margin = percent(margin.fraction());
    match known.is_empty() {
        true => format!(
            "{metric}: unknown, because neither run has a control pair; changes below {margin} \
             (--margin) are not reported"
        ),
        false => format!(
            "{metric}: native differs from itself by up to: {}; the margin is {margin}; changes \
             below {limit} are not reported",
            known.join(", ")
        ),
    }
}

pub(super) fn level(comparison: &Comparison) -> String {
    let each = comparison.level_of_each * 100.0;
    format!(
        "{} comparisons hold together at {}, so each interval is at {each:.3} %",
        comparison.cells.len(),
        percent(comparison.level),
    )
}

/// Why comparisons could not be decided.
pub(super) fn unsure(comparison: &Comparison) -> Vec<String> {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut widths = Vec::new();
    for found in comparison.with(Verdict::Unsure) {
        match (&found.why_unsure, found.interval) {
            (Some(why), _) => *reasons.entry(why.to_string()).or_default() += 1,
            (None, Some([lo, hi])) => widths.push((hi / lo).sqrt() - 1.0),
            (None, None) => {}
        }
    }
    let without = reasons.iter().map(|(why, count)| {
        format!("{count} without evidence ({why}): raise `repetitions` or lower `block`")
    });
    let mut notes: Vec<String> = without.collect();
    widths.sort_unstable_by(f64::total_cmp);
    if let (Some(least), Some(most)) = (widths.first(), widths.last()) {
        notes.push(format!(
            "{} with an interval that allows both a change and none (+-{} to +-{}): more blocks or a \
             quieter machine (`lumos doctor`) make it narrower",
            widths.len(),
            percent(*least),
            percent(*most)
        ));
    }
    notes
}

pub(super) fn drift(comparison: &Comparison) -> Vec<String> {
    let ratio = comparison.median_ratio.filter(|_| comparison.cells.len() > 2);
    let line = |ratio: f64| {
        let change = if ratio > 1.0 { "slower" } else { "faster" };
        format!(
            "the median of all ratios is {ratio:.3}; far from 1, the whole machine was {change} in \
             the new run"
        )
    };
    ratio.filter(|ratio| (ratio - 1.0).abs() > DRIFT).map(line).into_iter().collect()
}

/// Cells that are missing or fail in one run, a line for each kind.
pub(super) fn unmatched(comparison: &Comparison) -> Vec<String> {
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
            UnmatchedKind::MoreFailures => "more failures than in the base run",
        };
        let names: Vec<String> = cells.iter().map(|of| cell_name(&of.cell)).collect();
        format!("{what} ({}): {}", cells.len(), joined(&names, MOST_CELLS, ", "))
    };
    kinds.into_iter().map(line).collect()
}
