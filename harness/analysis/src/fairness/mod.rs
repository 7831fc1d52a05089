//! Whether a run was fair: each rule checked from what the run left behind, none taken
//! on trust.
//!
//! | file | what it checks |
//! |---|---|
//! | `mod` | the list, and how a check ends |
//! | `observed` | collects from rows and telemetry what the checks need |
//! | `build` | same source, compiler and flags; SIMD |
//! | `work` | same inputs and outputs; mode proven; one thread |
//! | `course` | limits, pinning, order of blocks, what runs beside, connections, control |
//! | [`sizes`] | sizes of the artifacts, with and without a base image |

mod build;
mod course;
mod observed;
pub mod sizes;
#[cfg(test)]
mod tests;
mod work;

use std::fmt;

pub use observed::Observed;
pub use sizes::Sizes;

use lumos_model::manifest::RunManifest;
use lumos_model::warning::Warning;
use lumos_scenario::scenario::Scenario;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The evidence shows that the rule was kept.
    Held,
    /// The evidence shows that it was not.
    Violated,
    /// The run left no evidence either way.
    Unknown,
    /// The rule says nothing of a run like this one.
    Inapplicable,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Status::Held => "held",
            Status::Violated => "VIOLATED",
            Status::Unknown => "unknown",
            Status::Inapplicable => "n/a",
        })
    }
}

/// A rule, and what the run shows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The rule.
    pub rule: &'static str,
    /// Whether it was kept.
    pub status: Status,
    /// What shows it.
    pub evidence: String,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.status, self.rule, self.evidence)
    }
}

/// All that the checks look at.
struct Run<'a> {
    manifest: &'a RunManifest,
    scenario: &'a Scenario,
    observed: &'a Observed,
}

impl Run<'_> {
    /// Whether all cells are under load.
    fn is_load(&self) -> bool {
        self.scenario.load.is_some()
    }
}

/// What a run directory shows of its fairness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fairness {
    /// The rules, in the order of the design.
    pub checks: Vec<Check>,
    /// Sizes of the artifacts.
    pub sizes: Sizes,
}

impl Fairness {
    /// Checks a run.
    pub fn evaluate(manifest: &RunManifest, scenario: &Scenario, observed: &Observed) -> Self {
        let run = Run { manifest, scenario, observed };
        let checks = [build::checks(&run), work::checks(&run), course::checks(&run)].concat();
        Self { checks, sizes: Sizes::of(&manifest.artifacts) }
    }

    /// The rules that were not kept.
    pub fn violations(&self) -> impl Iterator<Item = Warning> {
        let violated = self.checks.iter().filter(|check| check.status == Status::Violated);
        violated.map(|check| Warning::Unfair {
            rule: check.rule.to_owned(),
            evidence: check.evidence.clone(),
        })
    }
}

/// A check that some list of faults decides.
fn check(rule: &'static str, faults: &[String], evidence: String) -> Check {
    match faults {
        [] => Check { rule, status: Status::Held, evidence },
        faults => Check { rule, status: Status::Violated, evidence: some(faults) },
    }
}

/// A check without evidence.
fn unknown(rule: &'static str, why: &str) -> Check {
    Check { rule, status: Status::Unknown, evidence: why.to_owned() }
}

/// A check of a rule that no cell of the run falls under.
fn inapplicable(rule: &'static str, why: &str) -> Check {
    Check { rule, status: Status::Inapplicable, evidence: why.to_owned() }
}

/// The first of `items`, and how many more there are.
fn some(items: &[String]) -> String {
    const MOST: usize = 2;
    let shown = items.iter().take(MOST).cloned().collect::<Vec<_>>().join("; ");
    match items.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}
