//! Whether the functions of both runs did the same work.

use std::path::PathBuf;

use lumos_model::cell::{Size, Storage};
use lumos_model::manifest::Output;

use crate::compare::differing::Differing;
use crate::compare::side::Side;

/// Work that is not the same in both runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// The seed of the inputs.
    Seed(Differing<u64>),
    /// The recorded arrivals.
    Trace {
        /// As the scenario names the file.
        file: PathBuf,
    },
    /// Inputs that have the same key and another content.
    Inputs {
        /// Their keys.
        keys: Vec<String>,
    },
    /// Outputs: a function with another result does other work.
    Outputs {
        /// What computed them.
        of: Vec<OutputOf>,
    },
}

/// Where an output comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputOf {
    /// The function.
    pub function: String,
    /// Size group of its input.
    pub size: Size,
    /// Where input and output are.
    pub storage: Storage,
}

pub(super) fn seed(base: &Side, new: &Side) -> Option<Work> {
    Differing::of(base.manifest.seed, new.manifest.seed).map(Work::Seed)
}

pub(super) fn trace(base: &Side, new: &Side) -> Option<Work> {
    let (a, b) = (base.manifest.trace.as_ref()?, new.manifest.trace.as_ref()?);
    (a != b).then(|| Work::Trace { file: a.file.clone() })
}

pub(super) fn inputs(base: &Side, new: &Side) -> Option<Work> {
    let hashes = &new.manifest.inputs_sha256;
    let differs =
        |(key, hash): &(&String, &String)| hashes.get(*key).is_some_and(|other| other != *hash);
    let other = base.manifest.inputs_sha256.iter().filter(differs);
    let keys: Vec<String> = other.map(|(key, _)| key.clone()).collect();
    (!keys.is_empty()).then_some(Work::Inputs { keys })
}

pub(super) fn outputs(base: &Side, new: &Side) -> Option<Work> {
    let is_same_place = |a: &Output, b: &Output| {
        (&a.function, a.size, a.storage) == (&b.function, b.size, b.storage)
    };
    let is_same =
        |a: &Output, b: &Output| (&a.sha256, &a.stored_sha256) == (&b.sha256, &b.stored_sha256);
    let differs = |a: &&Output| {
        let mut others = new.manifest.outputs.iter();
        others.any(|b| is_same_place(a, b) && !is_same(a, b))
    };
    let other = base.manifest.outputs.iter().filter(differs);
    let of: Vec<OutputOf> = other.map(OutputOf::of).collect();
    (!of.is_empty()).then_some(Work::Outputs { of })
}

impl OutputOf {
    fn of(output: &Output) -> Self {
        let Output { function, size, storage, .. } = output;
        Self { function: function.clone(), size: *size, storage: *storage }
    }
}
