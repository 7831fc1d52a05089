//! A rule and how its check ended.

use lumos_model::manifest::RunManifest;
use lumos_scenario::scenario::Scenario;

use super::observed::Observed;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The evidence shows that the rule was kept.
    Held,
    /// The evidence shows that it was not.
    Violated,
    /// The run left no evidence.
    Unknown,
    /// The rule does not apply to a run like this one.
    Inapplicable,
}

/// A rule, and what the run shows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The rule.
    pub rule: &'static str,
    /// Whether it was kept.
    pub status: Status,
    /// What shows it: one statement, or one for each violation.
    pub evidence: Vec<String>,
}

impl Check {
    /// A check that is decided by a list of violations; without any, `evidence` shows that the
    /// rule was kept.
    pub(super) fn decided(rule: &'static str, violations: Vec<String>, evidence: String) -> Self {
        match violations.is_empty() {
            true => Self::held(rule, evidence),
            false => Self { rule, status: Status::Violated, evidence: violations },
        }
    }

    pub(super) fn held(rule: &'static str, evidence: impl Into<String>) -> Self {
        Self { rule, status: Status::Held, evidence: vec![evidence.into()] }
    }

    pub(super) fn violated(rule: &'static str, evidence: impl Into<String>) -> Self {
        Self { rule, status: Status::Violated, evidence: vec![evidence.into()] }
    }

    pub(super) fn unknown(rule: &'static str, why: &str) -> Self {
        Self { rule, status: Status::Unknown, evidence: vec![why.to_owned()] }
    }

    pub(super) fn inapplicable(rule: &'static str, why: &str) -> Self {
        Self { rule, status: Status::Inapplicable, evidence: vec![why.to_owned()] }
    }
}

/// What the checks look at.
pub(super) struct RunFacts<'a> {
    pub manifest: &'a RunManifest,
    pub scenario: &'a Scenario,
    pub observed: &'a Observed,
}

impl RunFacts<'_> {
    /// Whether all cells are under load.
    pub fn is_load(&self) -> bool {
        self.scenario.load.is_some()
    }
}
