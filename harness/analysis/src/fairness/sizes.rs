//! Sizes of the artifacts, with and without a base image.

use std::collections::{BTreeMap, BTreeSet};

use lumos_model::artifact::{Artifact, Form};

/// The published size of a function's container image, base image included: over 80 MB on
/// average (Lumos, IOT 2025, section 6.3; results/reference/paper_claims.csv, I1). No sizes of
/// single functions were published.
pub const PUBLISHED_IMAGE: &str = "> 80 MB on average";

/// Sizes in bytes, by function and form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes(BTreeMap<String, BTreeMap<Form, u64>>);

impl Sizes {
    /// The sizes of `artifacts`.
    pub fn of(artifacts: &[Artifact]) -> Self {
        let mut sizes: BTreeMap<String, BTreeMap<Form, u64>> = BTreeMap::new();
        for artifact in artifacts {
            let forms = sizes.entry(artifact.function.clone()).or_default();
            forms.insert(artifact.form.clone(), artifact.bytes);
        }
        Self(sizes)
    }

    /// The forms that occur: native, the modules, AoT code.
    pub fn forms(&self) -> Vec<&Form> {
        let forms: BTreeSet<&Form> = self.0.values().flat_map(BTreeMap::keys).collect();
        let mut forms = Vec::from_iter(forms);
        let rank = |form: &Form| match form.0.as_str() {
            Form::NATIVE => 0,
            Form::P1 => 1,
            Form::P2 => 2,
            _ => 3,
        };
        forms.sort_by_key(|form| rank(form));
        forms
    }

    /// The functions, each with its sizes by form.
    pub fn functions(&self) -> impl Iterator<Item = (&str, &BTreeMap<Form, u64>)> {
        self.0.iter().map(|(function, forms)| (function.as_str(), forms))
    }
}
