//! The machines of both runs.

use lumos_model::fingerprint::Fingerprint;

use crate::compare::differing::Differing;
use crate::compare::side::Side;

/// Relative difference of the memory that two boots of one kernel may show.
const MEMORY_TOLERANCE: f64 = 0.01;

/// A fact about the machine that is not the same in both runs. `None`: it is unknown.
#[derive(Clone, Debug, PartialEq)]
pub enum MachineFact {
    /// One of the runs does not describe its machine.
    Description(Differing<Option<Box<Fingerprint>>>),
    /// The architecture.
    Architecture(Differing<String>),
    /// The CPU's name.
    Cpu(Differing<Option<String>>),
    /// The board.
    Board(Differing<Option<String>>),
    /// Number of cores.
    Cores(Differing<Option<u32>>),
    /// Version of the kernel.
    Kernel(Differing<Option<String>>),
    /// The cores' governors.
    Governors(Differing<Vec<String>>),
    /// Memory in bytes.
    Memory(Differing<u64>),
}

/// The facts that differ.
pub(super) fn machine(base: &Side, new: &Side) -> Vec<MachineFact> {
    match (&base.manifest.fingerprint, &new.manifest.fingerprint) {
        (Some(base), Some(new)) => facts(base, new),
        (base, new) => {
            let boxed = |print: &Option<Fingerprint>| print.clone().map(Box::new);
            let description = Differing::of(boxed(base), boxed(new));
            description.map(MachineFact::Description).into_iter().collect()
        }
    }
}

fn facts(a: &Fingerprint, b: &Fingerprint) -> Vec<MachineFact> {
    let governors = |print: &Fingerprint| -> Vec<String> {
        print.governors().into_iter().map(str::to_owned).collect()
    };
    [
        Differing::of(a.architecture.clone(), b.architecture.clone())
            .map(MachineFact::Architecture),
        Differing::of(a.cpu_model.clone(), b.cpu_model.clone()).map(MachineFact::Cpu),
        Differing::of(a.board.clone(), b.board.clone()).map(MachineFact::Board),
        Differing::of(a.cores, b.cores).map(MachineFact::Cores),
        Differing::of(a.kernel.clone(), b.kernel.clone()).map(MachineFact::Kernel),
        Differing::of(governors(a), governors(b)).map(MachineFact::Governors),
        memory(a, b).map(MachineFact::Memory),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn memory(a: &Fingerprint, b: &Fingerprint) -> Option<Differing<u64>> {
    let (a, b) = (a.memory_bytes?, b.memory_bytes?);
    let differs = a.abs_diff(b) as f64 > a.max(b) as f64 * MEMORY_TOLERANCE;
    differs.then_some(Differing { base: a, new: b })
}
