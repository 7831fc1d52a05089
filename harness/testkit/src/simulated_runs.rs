//! Runs of a simulated machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use lumos_analysis::compare::side::Samples;
use lumos_analysis::compare::{Metric, Side};
use lumos_model::cell::{Cell, Demand, Isolation, Size, Start, Storage};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

/// Blocks of a cell.
pub const BLOCKS: u32 = 10;
/// Samples of a block.
pub const SAMPLES: u32 = 5;
/// Noise of a whole block and of a sample, as the sigma of a logarithm.
const NOISE: [f64; 2] = [0.01, 0.02];

/// 24 cells: 6 functions, 2 targets, 2 isolations.
pub fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for function in 0..6 {
        for target in ["native", "wasmtime-aot"] {
            for isolation in [Isolation::Process, Isolation::Thread] {
                cells.push(Cell {
                    function: format!("function-{function}"),
                    size: Size::Small,
                    target: target.parse().unwrap(),
                    isolation,
                    storage: Storage::Inline,
                    demand: Demand::Each(Start::Warm),
                });
            }
        }
    }
    cells
}

/// A machine whose noise is log-normal.
pub struct Machine {
    rng: ChaCha8Rng,
    /// Cells whose time is multiplied.
    pub slower: BTreeMap<Cell, f64>,
    /// Whether native is measured against itself.
    pub has_control: bool,
}

impl Machine {
    /// A machine whose noise follows from `seed`.
    pub fn new(seed: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { rng, slower: BTreeMap::new(), has_control: true }
    }

    /// Roughly standard normal: twelve uniforms.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| f64::from(self.rng.next_u32()) / f64::from(u32::MAX)).sum::<f64>() - 6.0
    }

    /// The blocks of a cell that takes `ns`.
    fn blocks(&mut self, ns: f64) -> BTreeMap<u32, Vec<f64>> {
        let [of_block, of_sample] = NOISE;
        (0..BLOCKS)
            .map(|block| {
                let level = of_block * self.normal();
                let sample = |_| ns * (level + of_sample * self.normal()).exp();
                (block, (0..SAMPLES).map(sample).collect())
            })
            .collect()
    }

    /// Measures all cells once.
    pub fn run(&mut self) -> Side {
        let mut measured = BTreeMap::new();
        for (index, cell) in cells().into_iter().enumerate() {
            let factor = self.slower.get(&cell).copied().unwrap_or(1.0);
            let ns = 1e6 * (index + 1) as f64 * factor;
            let mut samples = Samples::default();
            samples.measured.insert(Metric::Total, self.blocks(ns));
            if self.has_control && index == 0 {
                samples.control.insert(Metric::Total, self.blocks(ns));
            }
            measured.insert(cell, samples);
        }
        let manifest = serde_json::from_value(manifest()).unwrap();
        let scenario = lumos_scenario::scenario::Scenario::parse(
            SCENARIO,
            "scenario.toml".as_ref(),
            &["fibonacci"],
        );
        Side { dir: PathBuf::new(), manifest, scenario: scenario.unwrap(), cells: measured }
    }
}

/// The scenario of these runs.
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

/// A run directory of two cells whose `targets` take so many nanoseconds, and its name.
pub fn directory(manifest: &Value, scenario: &str, targets: [(&str, u64); 2]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("manifest.json"), manifest.to_string()).unwrap();
    fs::write(dir.path().join("scenario.toml"), scenario).unwrap();
    let mut lines = String::new();
    for (target, ns) in targets {
        for (block, seq) in (0..BLOCKS).flat_map(|block| (0..SAMPLES).map(move |seq| (block, seq)))
        {
            // A per mille up and down, another in each cell.
            let total = ns + ns * u64::from((block * 7 + seq * 3) % 5) / 2_000;
            lines += &row(target, block, seq, total).to_string();
            lines.push('\n');
        }
    }
    fs::write(dir.path().join("invocations.jsonl"), lines).unwrap();
    dir
}

fn row(target: &str, block: u32, seq: u32, total_ns: u64) -> Value {
    let failed = total_ns == 0;
    json!({
        "schema": 1, "block": block, "order": block, "seq": seq, "start_kind": "warm",
        "cell": {
            "function": "fibonacci", "size": "small", "target": target, "isolation": "process",
            "start": "warm", "storage": "redis",
        },
        "outcome": if failed { "trap" } else { "ok" }, "intended_ns": 0, "total_ns": total_ns,
        "phases_ns": {"compute": total_ns}, "cpu_ns": total_ns,
    })
}
