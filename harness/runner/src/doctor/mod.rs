//! What this machine lacks for clean numbers, and the command that fixes each problem.
//!
//! | module | content |
//! |---|---|
//! | `facts` | reads all facts that the checks judge |
//! | `freshness` | whether the functions were built from the present sources |
//! | `check` | [`Check`]: one finding |
//! | `software`, `kernel`, `machine` | the checks: from facts to findings, pure |

mod check;
mod facts;
mod freshness;
mod kernel;
mod machine;
mod software;
#[cfg(test)]
mod tests;

use lumos_model::warning::Warning;

pub use self::check::{Check, Need, State};
pub use self::facts::{Facts, Machine, Software};
pub use self::freshness::Built;

/// Every check, in the order in which a new user would fix things.
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

/// The warnings of a report about the machine.
pub fn cautions(machine: &Machine) -> Vec<Warning> {
    let cautions = machine_checks(machine).into_iter().filter_map(|check| check.caution);
    cautions.map(|finding| Warning::Machine { finding }).collect()
}
