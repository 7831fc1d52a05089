//! A fair run, and for each rule a run that violates it.

use lumos_model::row::Row;
use lumos_scenario::plan::shuffled_blocks;
use serde_json::{Value, json};

use super::*;

const SCENARIO: &str = r#"
name = "fair"
repetitions = 9
block = 3
[matrix]
functions = ["fuzzy-search"]
sizes = ["tiny"]
targets = ["native", "wasmtime-aot", "wasmtime-interp"]
start = ["warm"]
storage = ["redis"]
[limits]
memory = "64MiB"
"#;

/// A run that can be changed before it is checked.
struct Fixture {
    manifest: Value,
    rows: Vec<Row>,
    group_cpu_factor: f64,
}

fn cell(target: &str) -> Value {
    json!({
        "function": "fuzzy-search", "size": "tiny", "target": target, "isolation": "process",
        "start": "warm", "storage": "redis",
    })
}

fn scenario() -> Scenario {
    Scenario::parse(SCENARIO, "fair.toml".as_ref(), &["fuzzy-search"]).unwrap()
}

fn fair() -> Fixture {
    let size = lumos_scenario::inputs::size(lumos_model::cell::Size::Tiny);
    let input = lumos_inputs::input("fuzzy-search", size, 42).unwrap().unwrap();
    let cells = ["native", "wasmtime-aot", "wasmtime-interp"].map(cell);
    let artifact = |form: &str, flags: &str, source: Value| {
        json!({
            "function": "fuzzy-search", "form": form, "path": form, "bytes": 4096, "sha256": form,
            "compiler": if source.is_null() { "rustc 1.95" } else { "wasmtime 48" },
            "flags": flags, "source_sha256": source,
        })
    };
    let soft = "--cfg aes_force_soft --cfg polyval_force_soft";
    let proof = |target: &str, canary_ns: u64, reference_ns: u64| {
        json!({
            "function": "fuzzy-search", "target": target, "setting": "", "code": "",
            "canary_ns": canary_ns, "reference_ns": reference_ns,
        })
    };
    let manifest = json!({
        "schema": 1, "name": "fair", "started": "", "lumos": "0.1.0", "seed": 42,
        "cgroup_mode": "v2", "versions": {}, "functions_lock_sha256": "0123456789abcdef",
        "artifacts": [
            artifact("native", soft, Value::Null),
            artifact("p2", &format!("{soft} -C link-arg=-l:crt1-reactor.o"), Value::Null),
            artifact("wasmtime-aot", "opt-level=speed", "p2".into()),
        ],
        "inputs_sha256": {input.key: input.sha256},
        "proofs": [
            proof("native", 0, 0), proof("wasmtime-aot", 130, 100),
            proof("wasmtime-interp", 3_500, 100),
        ],
        "outputs": [{
            "function": "fuzzy-search", "size": "tiny", "storage": "redis", "sha256": "aa",
            "bytes": 1, "targets": 3,
        }],
        "options": {}, "cells": cells,
    });
    Fixture { rows: rows(&manifest), manifest, group_cpu_factor: 1.0 }
}

fn rows(manifest: &Value) -> Vec<Row> {
    let cells: Vec<lumos_model::cell::Cell> =
        serde_json::from_value(manifest["cells"].clone()).unwrap();
    let blocks = shuffled_blocks(cells.iter(), &scenario());
    let samples = blocks.iter().flat_map(|block| (0..block.samples).map(move |seq| (block, seq)));
    let row = |(block, seq): (&lumos_scenario::plan::Block, u32)| {
        let row = json!({
            "schema": 1, "cell": block.cell, "block": block.block, "order": block.order,
            "control": block.control, "seq": seq, "start_kind": "warm", "outcome": "ok",
            "intended_ns": 0, "total_ns": 1_000, "phases_ns": {"io_connect": 100, "compute": 900},
            "cpu_ns": 900, "output_sha256": "aa",
        });
        serde_json::from_value(row).unwrap()
    };
    samples.map(row).collect()
}

impl Fixture {
    fn check(&self) -> Vec<Check> {
        let mut observed = Observed::default();
        self.rows.iter().for_each(|row| observed.add(row));
        for (id, process) in &observed.process_cpu_ns {
            let group = (*process as f64 * self.group_cpu_factor) as u64;
            observed.group_cpu_ns.insert(id.clone(), group);
        }
        let manifest = serde_json::from_value(self.manifest.clone()).unwrap();
        Fairness::evaluate(&manifest, &scenario(), &observed).checks
    }
}

/// Changes a fair run. Only the rule whose text begins with `rule` may change its status.
#[track_caller]
fn only_breaks(rule: &str, expected: Status, change: impl FnOnce(&mut Fixture)) {
    let mut fixture = fair();
    change(&mut fixture);
    for check in fixture.check() {
        let status = if check.rule.starts_with(rule) { expected } else { Status::Held };
        assert_eq!(check.status, status, "{check:?}");
    }
}

#[test]
fn a_fair_run_keeps_every_rule() {
    let checks = fair().check();
    assert_eq!(checks.len(), 14);
    for check in checks {
        assert_eq!(check.status, Status::Held, "{check:?}");
    }
}

#[test]
fn different_builds_are_found() {
    use Status::{Unknown, Violated};

    only_breaks("one compiler", Violated, |run| {
        run.manifest["artifacts"][1]["compiler"] = "rustc 1.96".into();
    });
    only_breaks("one lock file", Unknown, |run| {
        run.manifest["functions_lock_sha256"] = Value::Null;
    });
    only_breaks("same flags", Violated, |run| {
        let flags = "--cfg aes_force_soft --cfg polyval_force_soft -C opt-level=1";
        run.manifest["artifacts"][0]["flags"] = flags.into();
    });
    only_breaks("SIMD", Violated, |run| {
        for artifact in 0..2 {
            run.manifest["artifacts"][artifact]["flags"] = "".into();
        }
    });
}

#[test]
fn different_work_is_found() {
    use Status::Violated;

    only_breaks("one thread", Violated, |run| {
        run.rows.iter_mut().for_each(|row| row.sample.cpu_ns = Some(2_500));
    });
    only_breaks("inputs", Violated, |run| run.manifest["inputs_sha256"] = json!({}));
    only_breaks("same outputs", Violated, |run| run.manifest["outputs"][0]["targets"] = 2.into());
    only_breaks("same outputs", Violated, |run| {
        run.rows[5].sample.output_sha256 = Some("bb".into());
    });
    only_breaks("mode proven", Violated, |run| {
        run.manifest["proofs"][1]["canary_ns"] = 3_500.into(); // AoT that is interpreted
    });
    only_breaks("mode proven", Violated, |run| {
        run.manifest["proofs"].as_array_mut().unwrap().remove(0);
    });
}

#[test]
fn unequal_conditions_are_found() {
    use Status::Violated;

    only_breaks("same limits", Violated, |run| run.manifest["cgroup_mode"] = Value::Null);
    only_breaks("blocks of all cells", Violated, |run| {
        run.rows.sort_by_key(|row| row.cell.clone()); // cell by cell
        for (order, row) in run.rows.iter_mut().enumerate() {
            row.order = order as u32 / 3;
        }
    });
    only_breaks("Redis and driver", Violated, |run| run.group_cpu_factor = 1.2);
    only_breaks("same number of connections", Violated, |run| {
        for row in run.rows.iter_mut().filter(|row| row.cell.target.is_native()) {
            row.sample.phases_ns = serde_json::from_value(json!({"compute": 1_000})).unwrap();
        }
    });
    only_breaks("control pair", Violated, |run| run.rows.retain(|row| !row.control));
}

#[test]
fn sizes_are_ordered_by_form() {
    let manifest: RunManifest = serde_json::from_value(fair().manifest).unwrap();
    let sizes = Sizes::of(&manifest.artifacts);
    let forms: Vec<&str> = sizes.forms().iter().map(|form| form.0.as_str()).collect();
    assert_eq!(forms, ["native", "p2", "wasmtime-aot"]);
    assert_eq!(sizes.functions().count(), 1);
}
