//! The content of a run directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lumos_model::row::Row;
use lumos_model::telemetry::BlockTelemetry;
use lumos_record::Rows;
use serde_json::Value;

/// The rows of a run; each must parse.
pub fn rows(dir: &Path) -> Vec<Row> {
    Rows::open(dir).unwrap().map(Result::unwrap).collect()
}

/// The lines of the rows, without an incomplete last one.
pub fn complete_lines(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(dir.join("invocations.jsonl")).unwrap_or_default();
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    complete.lines().map(str::to_owned).collect()
}

/// The telemetry of a run; each line must parse.
pub fn telemetry(dir: &Path) -> Vec<BlockTelemetry> {
    let text = fs::read_to_string(dir.join("telemetry.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The JSON in a file.
pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Samples and failures of each cell in the summary of a run.
pub fn counts(dir: &Path) -> BTreeMap<String, (u64, Value)> {
    let summary = json(&dir.join("summary.json"));
    let cells = summary["cells"].as_array().unwrap().iter();
    let count = |cell: &Value| (cell["n"].as_u64().unwrap(), cell["failures"].clone());
    cells.map(|cell| (cell["cell"].to_string(), count(cell))).collect()
}

/// Asserts that no invocation has two rows.
#[track_caller]
pub fn assert_no_doubles(dir: &Path) {
    let mut seen = std::collections::HashSet::new();
    for row in rows(dir) {
        let key = (row.cell, row.block, row.control, row.sample.seq);
        assert!(seen.insert(key.clone()), "two rows of {key:?}");
    }
}
