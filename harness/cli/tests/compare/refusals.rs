//! Runs that cannot be compared are refused with all reasons, unless --force is given.

use lumos_testkit::run_fixtures::{SCENARIO, directory, manifest};
use serde_json::{Value, json};

use crate::command::lumos;

const TARGETS: [(&str, u64); 2] = [("native", 1_000_000), ("wasmtime-aot", 2_000_000)];

/// Compares a run with one that has another manifest and scenario: it is refused for
/// `reason`, and with --force the reason becomes a caution.
#[track_caller]
fn refused(change: impl Fn(&mut Value), scenario: &str, reason: &str) {
    let mut changed = manifest();
    change(&mut changed);
    let base = directory(&manifest(), SCENARIO, TARGETS);
    let new = directory(&changed, scenario, TARGETS);
    let output = lumos(&base, &new, &[]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains(reason) && error.contains("--force"), "{error}");
    assert!(output.stdout.is_empty());

    let forced = lumos(&base, &new, &["--force"]);
    let text = String::from_utf8_lossy(&forced.stdout).into_owned();
    assert_eq!(forced.status.code(), Some(0), "{text}");
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(words.join(" ").contains("Caution") && words.join(" ").contains(reason), "{text}");
}

#[test]
fn different_inputs_and_outputs_are_refused() {
    refused(
        |m| m["inputs_sha256"]["key"] = "11".into(),
        SCENARIO,
        "different inputs under the same key",
    );
    refused(|m| m["seed"] = 43.into(), SCENARIO, "different seed");
    refused(|m| m["outputs"][0]["sha256"] = "cc".into(), SCENARIO, "different outputs");
}

#[test]
fn different_builds_are_refused() {
    refused(|m| m["artifacts"][0]["flags"] = "-O".into(), SCENARIO, "different compiler flags");
    refused(
        |m| m["artifacts"][0]["compiler"] = "rustc 1.96".into(),
        SCENARIO,
        "different compiler (",
    );
    refused(
        |m| m["artifacts"][1]["compiler"] = "wasmtime 49".into(),
        SCENARIO,
        "different compiler (",
    );
    refused(|m| m["artifacts"][1]["form"] = "p2".into(), SCENARIO, "different forms");
}

#[test]
fn an_unknown_machine_is_refused() {
    refused(|m| m["fingerprint"] = json!({"board": "a laptop"}), SCENARIO, "different machine");
}

#[test]
fn machines_are_compared_by_their_fingerprints() {
    let print = json!({
        "architecture": "aarch64", "cpu_model": "Cortex-A76", "cores": 4, "kernel": "6.6",
        "memory_bytes": 8_000_000_000_u64, "lumos": "0.1.0",
    });
    let base = {
        let mut base = manifest();
        base["fingerprint"] = print.clone();
        directory(&base, SCENARIO, TARGETS)
    };
    for (fact, value, reason) in [
        (
            "cpu_model",
            json!("Cortex-A72"),
            "different machine, its CPU: Cortex-A76 in the base run",
        ),
        ("cores", json!(2), "number of cores"),
        ("kernel", json!("6.12"), "kernel"),
        ("memory_bytes", json!(4_000_000_000_u64), "memory"),
    ] {
        let mut changed = manifest();
        changed["fingerprint"] = print.clone();
        changed["fingerprint"][fact] = value;
        let output = lumos(&base, &directory(&changed, SCENARIO, TARGETS), &[]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{fact}");
        assert!(error.contains(reason), "{error}");
    }
    // A kernel of the same release may have a few pages more or less.
    let mut changed = manifest();
    changed["fingerprint"] = print.clone();
    changed["fingerprint"]["memory_bytes"] = 8_000_004_096_u64.into();
    let output = lumos(&base, &directory(&changed, SCENARIO, TARGETS), &[]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn different_settings_are_refused() {
    let with = |line: &str| SCENARIO.replacen("repetitions", &format!("{line}\nrepetitions"), 1);
    let none = |_: &mut Value| {};
    refused(
        none,
        &with("pinning = \"none\""),
        "different pinning: one-core in the base run, none in",
    );
    refused(none, &with("connection = \"instance\""), "different connection");
    refused(none, &with("warmup = 9"), "different warm-up");
    refused(none, &format!("{SCENARIO}\n[limits]\ncpus = 0.5\n"), "different limits");
    refused(|m| m["redis"]["version"] = "8".into(), SCENARIO, "different Redis server");
    refused(|m| m["cgroup_mode"] = Value::Null, SCENARIO, "different control groups");
}

#[test]
fn a_different_schema_is_refused() {
    refused(|m| m["schema"] = 0.into(), SCENARIO, "different schema");
}

#[test]
fn engines_and_artifacts_may_differ() {
    let mut changed = manifest();
    changed["artifacts"][0]["sha256"] = "dd".into();
    changed["artifacts"][1]["compiler"] = "wasmtime 49".into();
    changed["versions"]["wasmtime"]["wasmtime"] = "49.0.0".into();
    let base = directory(&manifest(), SCENARIO, TARGETS);
    let output = lumos(&base, &directory(&changed, SCENARIO, TARGETS), &[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 artifact: fibonacci native"), "{text}");
    assert!(text.contains("wasmtime: 48.0.0 -> 49.0.0"), "{text}");
}
