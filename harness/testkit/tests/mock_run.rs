//! A whole `lumos run` on a simulated clock: every row and every number of its summary is known
//! beforehand. Scenario, plan, gate, protocol, samplers, record and analysis are the real ones;
//! only the engine is a mock, and with it the time.

use std::fs;
use std::path::Path;
use std::process::Command;

use lumos_model::hex::hex;
use lumos_testkit::scratch::lumos;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Warm and cold cells of an interpreter and of compiled code. Some invocations of
/// `prime-numbers` fail: the sixth of a host by itself, the eighth traps, the tenth passes its
/// deadline.
const SCENARIO: &str = r#"
name = "mock"
seed = 7
repetitions = 4
block = 2
gap = "1ms"
[warm]
repetitions = 8
block = 8
[matrix]
functions = ["noop", "prime-numbers"]
sizes = ["tiny"]
targets = ["mock-interp", "mock-aot"]
isolation = ["thread"]
start = ["warm", "cold:module"]
storage = ["inline"]
"#;

/// Lays `lumos` and its mock host out as a build does, with artifacts that nobody reads.
fn install(folder: &Path) {
    fs::create_dir_all(folder.join("release")).unwrap();
    for (from, name) in
        [(lumos(), "lumos"), (env!("CARGO_BIN_EXE_mock-host").into(), "lumos-host-mock")]
    {
        fs::copy(from, folder.join("release").join(name)).unwrap();
    }
    let artifacts = ["noop", "prime-numbers"].map(|function| {
        let path = Path::new(function).join(format!("{function}.mock"));
        let file = folder.join("artifacts").join(&path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, function).unwrap();
        json!({
            "function": function, "form": "mock", "path": path, "bytes": function.len(),
            "sha256": hex(&Sha256::digest(function)), "compiler": "none", "flags": "",
        })
    });
    let manifest = json!({
        "schema": 1, "compiler": "none", "lock_sha256": "00", "artifacts": artifacts,
    });
    fs::write(folder.join("artifacts/artifacts.json"), manifest.to_string()).unwrap();
}

/// Removes what the machine adds: taints come from the real machine's health.
fn without_taints(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            map.retain(|key, _| !["taints", "tainted"].contains(&key.as_str()));
            map.values_mut().for_each(|value| *value = without_taints(value.take()));
        }
        Value::Array(list) => {
            list.iter_mut().for_each(|value| *value = without_taints(value.take()));
        }
        _ => {}
    }
    value
}

#[test]
fn every_row_and_every_number_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    install(folder);
    fs::write(folder.join("mock.toml"), SCENARIO).unwrap();
    let run = Command::new(folder.join("release/lumos"))
        .args(["run", "mock.toml", "--out", "run"])
        .current_dir(folder)
        .env("TMPDIR", folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "some invocations fail: {said}");

    let rows = fs::read_to_string(folder.join("run/invocations.jsonl")).unwrap();
    let rows: Vec<String> = rows
        .lines()
        .map(|line| without_taints(serde_json::from_str(line).unwrap()).to_string())
        .collect();
    insta::assert_snapshot!("rows", rows.join("\n"));
    let summary = fs::read(folder.join("run/summary.json")).unwrap();
    let summary = without_taints(serde_json::from_slice(&summary).unwrap());
    insta::assert_snapshot!("summary", serde_json::to_string_pretty(&summary).unwrap());
}
