//! What this machine lacks for clean numbers, and what mends it.
//!
//! | file | what it does |
//! |---|---|
//! | [`facts`] | reads all that is decided on |
//! | [`check`] | one finding |
//! | `software`, `kernel`, `machine` | the decisions, pure: from facts to findings |
//! | `freshness` | whether the built functions are those of the sources |

pub mod check;
pub mod facts;
mod freshness;
mod kernel;
mod machine;
mod software;
#[cfg(test)]
mod tests;

use lumos_model::warning::Warning;

pub use check::{Check, Need, State};
pub use facts::{Facts, Machine, Software};

/// Every check, in the order of a first setup.
pub fn diagnose(facts: &Facts) -> Vec<Check> {
    let mut checks = software::checks(&facts.software);
    checks.extend(machine_checks(&facts.machine));
    checks
}

fn machine_checks(machine: &Machine) -> Vec<Check> {
    let print = &machine.fingerprint;
    let mut checks = kernel::checks(print, machine.has_hardware_counters);
    checks.extend(machine::checks(machine));
    checks
}

/// What a report says of the machine beside its numbers, a line each.
pub fn cautions(machine: &Machine) -> Vec<Warning> {
    let cautions = machine_checks(machine).into_iter().filter_map(|check| check.caution);
    cautions.map(|finding| Warning::Machine { finding }).collect()
}
