//! What may be the subject of a comparison, in words.

use std::collections::BTreeMap;

use lumos_analysis::compare::{Change, Differing};
use lumos_model::fingerprint::GitState;

use crate::lists::{count, joined};

/// Names that a line has.
const MOST_NAMES: usize = 3;

/// A line for each change.
pub(super) fn changes(changes: &[Change]) -> Vec<String> {
    changes.iter().map(change).collect()
}

fn change(change: &Change) -> String {
    match change {
        Change::Artifacts(names) => {
            let number = count(names.len(), "artifact");
            format!("{number}: {}", joined(names, MOST_NAMES, ", "))
        }
        Change::Lumos(Differing { base, new }) => format!("lumos: {base} -> {new}"),
        Change::Checkout(Differing { base, new }) => {
            format!("checkout: {} -> {}", checkout(base), checkout(new))
        }
        Change::Runtime { name, versions } => {
            format!("{name}: {} -> {}", list(&versions.base), list(&versions.new))
        }
    }
}

fn checkout(git: &Option<GitState>) -> String {
    let words = |GitState { commit, dirty }: &GitState| match dirty {
        true => format!("{commit} with changes"),
        false => commit.clone(),
    };
    git.as_ref().map_or("unknown".to_owned(), words)
}

fn list(versions: &Option<BTreeMap<String, String>>) -> String {
    match versions {
        Some(versions) => versions.values().map(String::as_str).collect::<Vec<_>>().join(", "),
        None => "none".to_owned(),
    }
}
