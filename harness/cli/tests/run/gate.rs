//! What the gate refuses is reported and not measured; the rest is measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use lumos_model::row::Row;
use lumos_testkit::run_dir::{json, rows};
use lumos_testkit::scratch::{Scratch, lumos};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const MATRIX: &str = r#"
    functions = ["fibonacci"]
    sizes = ["tiny"]
    targets = ["native", "wasmtime-aot", "wasmtime-interp"]
    isolation = ["process"]
    start = ["warm"]
"#;

static BUILT: LazyLock<PathBuf> = LazyLock::new(|| lumos().with_file_name("../artifacts"));

/// A copy of the artifacts of two functions.
fn copy_artifacts(scratch: &Scratch) -> PathBuf {
    let copy = scratch.path("artifacts");
    for function in ["noop", "fibonacci"] {
        fs::create_dir_all(copy.join(function)).unwrap();
        for file in fs::read_dir(BUILT.join(function)).unwrap().flatten() {
            fs::copy(file.path(), copy.join(function).join(file.file_name())).unwrap();
        }
    }
    fs::copy(BUILT.join("artifacts.json"), copy.join("artifacts.json")).unwrap();
    copy
}

fn artifact<'m>(manifest: &'m mut Value, function: &str, form: &str) -> &'m mut Value {
    let mut artifacts = manifest["artifacts"].as_array_mut().unwrap().iter_mut();
    artifacts.find(|a| a["function"] == function && a["form"] == form).unwrap()
}

/// Replaces the content of an artifact, and updates the manifest to match.
fn replace(artifacts: &Path, function: &str, form: &str, content: &[u8]) {
    let file = artifacts.join("artifacts.json");
    let mut manifest = json(&file);
    let artifact = artifact(&mut manifest, function, form);
    fs::write(artifacts.join(artifact["path"].as_str().unwrap()), content).unwrap();
    artifact["bytes"] = json!(content.len());
    artifact["sha256"] = json!(format!("{:x}", Sha256::digest(content)));
    fs::write(file, manifest.to_string()).unwrap();
}

fn read(artifacts: &Path, function: &str, form: &str) -> Vec<u8> {
    let mut manifest = json(&artifacts.join("artifacts.json"));
    let path = artifact(&mut manifest, function, form)["path"].as_str().unwrap().to_owned();
    fs::read(artifacts.join(path)).unwrap()
}

fn targets(rows: &[Row]) -> Vec<String> {
    let mut targets: Vec<_> = rows.iter().map(|row| row.cell.target.to_string()).collect();
    targets.sort();
    targets.dedup();
    targets
}

/// Runs with tampered artifacts. Asserts that only the target `stopped` is not measured, and that
/// both streams say why.
fn assert_stopped(tamper: impl FnOnce(&Path), stopped: &str, why: &str) {
    let scratch = Scratch::new();
    let artifacts = copy_artifacts(&scratch);
    tamper(&artifacts);
    let scenario = scratch.scenario("repetitions = 2", MATRIX);
    let ended = scratch.run(&scenario, "out", &["--artifacts", "artifacts"]).expect(1);
    let line = ended.stderr.lines().find(|line| line.contains(stopped)).unwrap_or_default();
    assert!(line.starts_with("warning: ") && line.contains(why), "{}", ended.stderr);
    assert!(ended.stdout.contains(stopped), "{}", ended.stdout);
    let all = ["native", "wasmtime-aot", "wasmtime-interp"];
    let left: Vec<_> = all.into_iter().filter(|target| *target != stopped).collect();
    assert_eq!(targets(&rows(&scratch.path("out"))), left);
}

#[test]
fn a_target_with_another_output_is_not_measured() {
    let tamper = |artifacts: &Path| {
        let other = read(artifacts, "noop", "wasmtime-aot");
        replace(artifacts, "fibonacci", "wasmtime-aot", &other);
    };
    assert_stopped(tamper, "wasmtime-aot", "differs from that of native");
}

#[test]
fn a_damaged_module_is_not_measured() {
    let tamper = |artifacts: &Path| replace(artifacts, "fibonacci", "p2", b"not wasm at all");
    assert_stopped(tamper, "wasmtime-interp", "fibonacci.p2.wasm");
}

#[test]
fn an_artifact_that_changed_after_the_build_is_not_measured() {
    let tamper = |artifacts: &Path| {
        let path = artifacts.join("fibonacci/fibonacci.wasmtime-aot");
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(path, bytes).unwrap();
    };
    assert_stopped(tamper, "wasmtime-aot", "is stale");
}

#[test]
fn a_run_in_which_nothing_passes_has_a_report() {
    let scratch = Scratch::new();
    let artifacts = copy_artifacts(&scratch);
    replace(&artifacts, "fibonacci", "native", b"no executable");
    let scenario = scratch.scenario("repetitions = 2", MATRIX);
    let only = ["--artifacts", "artifacts", "--filter", "target=native"];
    let ended = scratch.run(&scenario, "out", &only).expect(1);
    assert!(ended.stdout.contains("fibonacci native"), "{}", ended.stdout);
    assert!(rows(&scratch.path("out")).is_empty());
}

#[test]
fn a_run_only_continues_with_the_build_that_it_started_with() {
    let scratch = Scratch::new();
    let artifacts = copy_artifacts(&scratch);
    let scenario = scratch.scenario("repetitions = 2", MATRIX);
    scratch.run(&scenario, "out", &["--artifacts", "artifacts"]).expect(0);
    let other = read(&artifacts, "noop", "wasmtime-aot");
    replace(&artifacts, "fibonacci", "wasmtime-aot", &other);
    let resume = scratch.call(&["run", "--resume", "out", "--artifacts", "artifacts"]);
    resume.expect(2).says(&["wasmtime-aot of fibonacci", "start a new run"]);
}
