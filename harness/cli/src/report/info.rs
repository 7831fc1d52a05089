//! What a report says besides numbers: where, when and with what a run was made.

use std::collections::BTreeMap;

use lumos_model::cell::Cell;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fairness::Fairness;

/// Facts of a run for its report, as text. Everything is optional: what is empty is
/// not printed. In `manifest.json` it stands under `report`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunInfo {
    /// The scenario's name.
    pub title: String,
    /// When the run started, as it is to be shown.
    pub started: String,
    /// The machine in one line: model, cores, kernel.
    pub machine: String,
    /// Version of the Redis server, when the run used one.
    pub redis: Option<String>,
    /// The artifacts: a line each with size and compiler.
    pub artifacts: Vec<String>,
    /// Settings that bear on a comparison, by target.
    pub settings: BTreeMap<String, String>,
    /// Cells of the scenario that could not run here.
    pub refused: Vec<Refused>,
    /// What the gate found wrong, a line each; these cells were not measured.
    pub gate_failures: Vec<String>,
    /// What the run shows of its fairness; read from its directory, never told.
    #[serde(skip)]
    pub fairness: Fairness,
    /// What makes the numbers less clean than they could be, a line each.
    pub warnings: Vec<String>,
    /// Where things are, a line each; the caller's to fill in.
    #[serde(skip)]
    pub files: Vec<String>,
}

/// A cell that could not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The cell.
    pub cell: Cell,
    /// Why, and what to install.
    pub reason: String,
}

impl RunInfo {
    /// Takes what is there from a `manifest.json`; what is missing or unreadable stays
    /// empty, since a report without it is better than none.
    pub fn from_manifest(manifest: &Value) -> RunInfo {
        let report = manifest.get("report").cloned().unwrap_or_default();
        let mut info: RunInfo = serde_json::from_value(report).unwrap_or_default();
        let text = |key: &str| manifest.get(key).and_then(Value::as_str).unwrap_or_default();
        if info.title.is_empty() {
            info.title = text("name").to_owned();
        }
        if info.started.is_empty() {
            info.started = text("started").to_owned();
        }
        info
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn any_manifest_gives_an_info() {
        assert_eq!(RunInfo::from_manifest(&json!([1, "x"])), RunInfo::default());
        assert_eq!(RunInfo::from_manifest(&json!({"report": 5})), RunInfo::default());
        let info = RunInfo::from_manifest(&json!({
            "name": "quick", "report": {"machine": "a Pi", "later": true}
        }));
        assert_eq!((info.title.as_str(), info.machine.as_str()), ("quick", "a Pi"));
    }
}
