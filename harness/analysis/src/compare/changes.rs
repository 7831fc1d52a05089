//! What differs between two runs and may be the subject of the comparison.

use std::collections::{BTreeMap, BTreeSet};

use lumos_model::fingerprint::GitState;

use super::artifacts::{self, ArtifactName};
use super::differing::Differing;
use super::side::Side;

/// Versions of a runtime's parts, by part.
type Versions = BTreeMap<String, String>;

/// A difference that does not keep two runs from being compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Artifacts with another hash.
    Artifacts(Vec<ArtifactName>),
    /// The version of `lumos`.
    Lumos(Differing<String>),
    /// The checkout that `lumos` was started in.
    Checkout(Differing<Option<GitState>>),
    /// The versions of a runtime.
    Runtime {
        /// The runtime.
        name: String,
        /// Its versions; `None`: the run does not have it.
        versions: Differing<Option<Versions>>,
    },
}

/// All such differences.
pub(super) fn changes(base: &Side, new: &Side) -> Vec<Change> {
    let of_lumos = Differing::of(base.manifest.lumos.clone(), new.manifest.lumos.clone());
    let mut found: Vec<Change> = artifacts(base, new).into_iter().collect();
    found.extend(of_lumos.map(Change::Lumos));
    found.extend(Differing::of(checkout(base), checkout(new)).map(Change::Checkout));
    found.extend(runtimes(base, new).into_iter().filter_map(|name| {
        let versions = |side: &Side| side.manifest.versions.get(name).cloned();
        let versions = Differing::of(versions(base), versions(new))?;
        Some(Change::Runtime { name: name.to_owned(), versions })
    }));
    found
}

fn artifacts(base: &Side, new: &Side) -> Option<Change> {
    let changed = artifacts::common(base, new).filter(|(a, b)| a.sha256 != b.sha256);
    let names: Vec<ArtifactName> = changed.map(|(a, _)| ArtifactName::of(a)).collect();
    (!names.is_empty()).then_some(Change::Artifacts(names))
}

fn checkout(side: &Side) -> Option<GitState> {
    side.manifest.fingerprint.as_ref()?.git.clone()
}

fn runtimes<'a>(base: &'a Side, new: &'a Side) -> BTreeSet<&'a str> {
    let runtimes = base.common(new).map(|cell| cell.target.runtime());
    runtimes.filter(|runtime| *runtime != "native").collect()
}
