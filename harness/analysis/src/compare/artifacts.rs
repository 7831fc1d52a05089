//! The artifacts of both runs.

use std::fmt;

use lumos_model::artifact::{Artifact, Form};

use super::side::Side;

/// A function in one of its forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactName {
    /// The function.
    pub function: String,
    /// The form.
    pub form: Form,
}

impl ArtifactName {
    pub(super) fn of(artifact: &Artifact) -> Self {
        Self { function: artifact.function.clone(), form: artifact.form.clone() }
    }
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.function, self.form)
    }
}

/// The artifacts that both runs have, by function and form.
pub(super) fn common<'a>(
    base: &'a Side,
    new: &'a Side,
) -> impl Iterator<Item = (&'a Artifact, &'a Artifact)> {
    base.manifest.artifacts.iter().filter_map(|a| {
        let mut others = new.manifest.artifacts.iter();
        Some((a, others.find(|b| (&a.function, &a.form) == (&b.function, &b.form))?))
    })
}
