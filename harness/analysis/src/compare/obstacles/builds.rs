//! How the artifacts of both runs were built.

use std::collections::{BTreeMap, BTreeSet};

use lumos_model::artifact::{Artifact, Form};
use lumos_model::cell::Target;

use crate::compare::artifacts::{self, ArtifactName};
use crate::compare::differing::Differing;
use crate::compare::side::Side;

/// Artifacts that were not built alike.
#[derive(Clone, Debug, PartialEq)]
pub enum Build {
    /// By other compilers.
    Compiler {
        /// The compilers, with their versions.
        compilers: Differing<String>,
        /// The artifacts.
        artifacts: Vec<ArtifactName>,
    },
    /// With other flags.
    Flags {
        /// The flags.
        flags: Differing<String>,
        /// The artifacts.
        artifacts: Vec<ArtifactName>,
    },
    /// Functions that ran in other forms on the same targets.
    Forms {
        /// The functions.
        functions: Vec<String>,
    },
}

/// Everything that was built in another way. Other hashes are no obstacle: they are the
/// subject of the comparison.
pub(super) fn builds(base: &Side, new: &Side) -> Vec<Build> {
    let compilers = artifacts_by(base, new, |a, b| match comes_with_runtime(a, base, new) {
        true => None,
        false => Differing::of(a.compiler.clone(), b.compiler.clone()),
    });
    let flags = artifacts_by(base, new, |a, b| Differing::of(a.flags.clone(), b.flags.clone()));
    let compilers =
        compilers.map(|(compilers, artifacts)| Build::Compiler { compilers, artifacts });
    let flags = flags.map(|(flags, artifacts)| Build::Flags { flags, artifacts });
    compilers.chain(flags).chain(forms(base, new)).collect()
}

/// The artifacts of both runs, by what differs between them.
fn artifacts_by(
    base: &Side,
    new: &Side,
    differ: impl Fn(&Artifact, &Artifact) -> Option<Differing<String>>,
) -> impl Iterator<Item = (Differing<String>, Vec<ArtifactName>)> {
    let mut found: BTreeMap<(String, String), Vec<ArtifactName>> = BTreeMap::new();
    for (a, b) in artifacts::common(base, new) {
        if let Some(Differing { base, new }) = differ(a, b) {
            found.entry((base, new)).or_default().push(ArtifactName::of(a));
        }
    }
    found.into_iter().map(|((base, new), names)| (Differing { base, new }, names))
}

/// Whether the compiler is part of a runtime of which the runs have other versions: it
/// changes with its engine.
fn comes_with_runtime(artifact: &Artifact, base: &Side, new: &Side) -> bool {
    let runtime = artifact.form.0.split('-').next().unwrap_or_default();
    let versions = |side: &Side| side.manifest.versions.get(runtime).cloned();
    artifact.source_sha256.is_some() && versions(base) != versions(new)
}

fn forms(base: &Side, new: &Side) -> Option<Build> {
    let functions: BTreeSet<&str> = base.common(new).map(|cell| cell.function.as_str()).collect();
    let differs = |function: &&str| {
        targets(base, function) == targets(new, function)
            && forms_of(base, function) != forms_of(new, function)
    };
    let functions = functions.into_iter().filter(differs);
    let functions: Vec<String> = functions.map(str::to_owned).collect();
    (!functions.is_empty()).then_some(Build::Forms { functions })
}

fn targets<'a>(side: &'a Side, function: &str) -> BTreeSet<&'a Target> {
    let cells = side.manifest.cells.iter().filter(|cell| cell.function == function);
    cells.map(|cell| &cell.target).collect()
}

fn forms_of<'a>(side: &'a Side, function: &str) -> BTreeSet<&'a Form> {
    let artifacts = side.manifest.artifacts.iter().filter(|a| a.function == function);
    artifacts.map(|artifact| &artifact.form).collect()
}
