//! Run directories made by rule.

use std::fs;

use lumos_model::cell::{Cell, Start, Storage};
use lumos_model::files;
use lumos_model::row::{Outcome, Row};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::samples;

/// Blocks of a cell.
const BLOCKS: u32 = 10;
/// Samples of a block.
const SAMPLES: u32 = 5;

/// A scenario of one function on two targets.
pub const SCENARIO: &str = r#"
name = "simulated"
repetitions = 50
block = 5
[matrix]
functions = ["fibonacci"]
sizes = ["small"]
targets = ["native", "wasmtime-aot"]
start = ["warm"]
storage = ["redis"]
"#;

/// A manifest of one function with its two artifacts.
pub fn manifest() -> Value {
    let artifact = |form: &str, compiler: &str, source: Value| {
        json!({
            "function": "fibonacci", "form": form, "path": form, "bytes": 9, "sha256": "aa",
            "compiler": compiler, "flags": "--cfg soft", "source_sha256": source,
        })
    };
    json!({
        "schema": 2, "name": "simulated", "started": "2026-01-01T00:00:00Z", "lumos": "0.1.0",
        "seed": 42, "versions": {"wasmtime": {"wasmtime": "48.0.0"}},
        "artifacts": [
            artifact("native", "rustc 1.95", Value::Null),
            artifact("wasmtime-aot", "wasmtime 48", "ee".into()),
        ],
        "inputs_sha256": {"key": "00"}, "proofs": [],
        "outputs": [{
            "function": "fibonacci", "size": "small", "storage": "redis", "sha256": "bb", "bytes": 1,
            "targets": 2,
        }],
        "options": {}, "cells": [], "cgroup_mode": "v2",
        "redis": {"version": "7", "own": true},
    })
}

/// A run directory of two cells, `targets` with the nanoseconds that they take. An
/// invocation that takes none fails.
pub fn directory(manifest: &Value, scenario: &str, targets: [(&str, u64); 2]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(files::MANIFEST), manifest.to_string()).unwrap();
    fs::write(dir.path().join(files::SCENARIO), scenario).unwrap();
    let rows = targets.iter().flat_map(|(target, ns)| rows(target, *ns));
    let lines: String = rows.map(|row| serde_json::to_string(&row).unwrap() + "\n").collect();
    fs::write(dir.path().join(files::ROWS), lines).unwrap();
    dir
}

fn rows(target: &str, ns: u64) -> Vec<Row> {
    let cell = samples::cell("fibonacci", target, Start::Warm);
    let cell = Cell { storage: Storage::Redis, ..cell };
    let mut rows = Vec::new();
    for block in 0..BLOCKS {
        for seq in 0..SAMPLES {
            // Up to two per mille of noise, in another order in each block.
            let total_ns = ns + ns * u64::from((block * 7 + seq * 3) % 5) / 2_000;
            let mut row = samples::row(&cell, block, seq, total_ns);
            row.sample.cpu_ns = Some(total_ns);
            if ns == 0 {
                row.sample.outcome = Outcome::Trap;
            }
            rows.push(row);
        }
    }
    rows
}
