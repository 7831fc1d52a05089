//! Whether a run was fair: each rule is checked against what the run left behind.
//!
//! | file | what it checks |
//! |---|---|
//! | `mod` | the list of all checks |
//! | `build` | same compiler, lock file and flags; SIMD |
//! | `work` | same inputs and outputs; one thread; mode proven |
//! | `conditions` | limits, pinning, order of blocks, cgroups, connections, control |
//! | [`sizes`] | sizes of the artifacts |
//! | `check` | a rule and how its check ended |
//! | `observed` | what the checks need from rows and telemetry |

mod build;
mod check;
mod conditions;
mod observed;
pub mod sizes;
#[cfg(test)]
mod tests;
mod work;

use lumos_model::manifest::RunManifest;
use lumos_scenario::scenario::Scenario;

pub use check::{Check, Status};
pub(crate) use observed::Observed;
pub use sizes::Sizes;

use self::check::RunFacts;

/// What a run shows of its fairness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fairness {
    /// The rules, in the order of the design.
    pub checks: Vec<Check>,
    /// Why the rules could not be checked.
    pub unchecked: Option<String>,
    /// Sizes of the artifacts.
    pub sizes: Sizes,
}

impl Fairness {
    /// Checks a run.
    pub(crate) fn evaluate(
        manifest: &RunManifest,
        scenario: &Scenario,
        observed: &Observed,
    ) -> Self {
        let run = RunFacts { manifest, scenario, observed };
        let checks = [build::checks(&run), work::checks(&run), conditions::checks(&run)].concat();
        Self { checks, unchecked: None, sizes: Sizes::of(&manifest.artifacts) }
    }

    /// A run that cannot be checked.
    pub(crate) fn unchecked(manifest: &RunManifest, why: String) -> Self {
        Self { checks: Vec::new(), unchecked: Some(why), sizes: Sizes::of(&manifest.artifacts) }
    }

    /// The rules that were not kept.
    pub fn violations(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.status == Status::Violated)
    }
}
