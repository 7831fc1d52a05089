//! What keeps two runs from being compared.
//!
//! | file | what it compares |
//! |---|---|
//! | `settings` | the settings of the scenario |
//! | `machine` | the machines |
//! | `work` | seed, inputs, outputs, recorded arrivals |
//! | `builds` | compilers, flags and forms of the artifacts |

mod builds;
mod machine;
mod settings;
mod work;

pub use builds::Build;
pub use machine::MachineFact;
pub use settings::{LoadBounds, Setting};
pub use work::{OutputOf, Work};

use super::differing::Differing;
use super::side::Side;

/// A difference that makes a comparison meaningless.
#[derive(Clone, Debug, PartialEq)]
pub enum Obstacle {
    /// The version of the manifest.
    Schema(Differing<u32>),
    /// A setting.
    Setting(Setting),
    /// The machine.
    Machine(MachineFact),
    /// The work of the functions.
    Work(Work),
    /// The build of the artifacts.
    Build(Build),
    /// The runs have no cell in common.
    NothingInCommon,
}

/// Everything that keeps the runs from being compared; empty: nothing does.
pub fn obstacles(base: &Side, new: &Side) -> Vec<Obstacle> {
    let schema = Differing::of(base.manifest.schema, new.manifest.schema);
    let work = [work::trace(base, new), work::inputs(base, new), work::outputs(base, new)];
    let mut found: Vec<Obstacle> = schema.map(Obstacle::Schema).into_iter().collect();
    found.extend(work::seed(base, new).map(Obstacle::Work));
    found.extend(settings::settings(base, new).into_iter().map(Obstacle::Setting));
    found.extend(machine::machine(base, new).into_iter().map(Obstacle::Machine));
    found.extend(work.into_iter().flatten().map(Obstacle::Work));
    found.extend(builds::builds(base, new).into_iter().map(Obstacle::Build));
    if base.common(new).next().is_none() {
        found.push(Obstacle::NothingInCommon);
    }
    found
}
