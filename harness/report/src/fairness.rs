//! Checks of fairness in words.

use lumos_analysis::fairness::{Check, Fairness, Status};

use crate::lists::joined;

/// Violations of a rule that a line names.
const MOST_VIOLATIONS: usize = 2;

/// The checks, a line each.
pub(crate) fn checks(fairness: &Fairness) -> Vec<String> {
    let unchecked = fairness
        .unchecked
        .iter()
        .map(|why| format!("not checked: {}", why.lines().next().unwrap_or_default()));
    let check =
        |check: &Check| format!("{}: {}: {}", status(check.status), check.rule, evidence(check));
    fairness.checks.iter().map(check).chain(unchecked).collect()
}

/// The violated rules, a line each.
pub(crate) fn violations(fairness: &Fairness) -> Vec<String> {
    let line = |check: &Check| {
        format!("unfair: rule \"{}\" was violated: {}", check.rule, evidence(check))
    };
    fairness.violations().map(line).collect()
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Held => "held",
        Status::Violated => "VIOLATED",
        Status::Unknown => "unknown",
        Status::Inapplicable => "n/a",
    }
}

fn evidence(check: &Check) -> String {
    joined(&check.evidence, MOST_VIOLATIONS, "; ")
}
