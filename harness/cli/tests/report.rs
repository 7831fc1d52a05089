//! `lumos report` as users call it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use lumos_model::cell::Start;
use lumos_testkit::samples::*;

fn run_directory(lines: &[String]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("invocations.jsonl"), lines.concat()).unwrap();
    let mut manifest = lumos_testkit::run_fixtures::manifest();
    manifest["name"] = "quick".into();
    manifest["seed"] = 7.into();
    fs::write(dir.path().join("manifest.json"), manifest.to_string()).unwrap();
    dir
}

fn lines() -> Vec<String> {
    let rows = run(&FUNCTIONS[..1], &TARGETS[..2], 2);
    rows.iter().map(|row| serde_json::to_string(row).unwrap() + "\n").collect()
}

fn report(dir: &Path, arguments: &[&str]) -> Output {
    let mut lumos = Command::new(env!("CARGO_BIN_EXE_lumos"));
    lumos.arg("report").arg(dir).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_run_is_reported_in_each_format() {
    let dir = run_directory(&lines());
    let text = stdout(&report(dir.path(), &[]));
    assert!(text.starts_with("quick, started") && text.contains("fibonacci"), "{text}");
    assert!(text.contains("not checked: cannot read the scenario"), "{text}");
    assert!(stdout(&report(dir.path(), &["--format", "md"])).starts_with("# quick\n"));
    let json = stdout(&report(dir.path(), &["--format", "json"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["schema"], &json["seed"]), (&1.into(), &7.into()));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is written unasked");

    let printed = stdout(&report(dir.path(), &["--format", "json", "--write"]));
    let written = fs::read_to_string(dir.path().join("summary.json")).unwrap();
    assert_eq!(printed, written);
    assert!(dir.path().join("report.md").is_file());
}

#[test]
fn planned_cells_without_rows_are_reported() {
    let dir = run_directory(&lines());
    let cells = ["native", "wasmtime-jit"].map(|target| cell("fibonacci", target, Start::Warm));
    let mut manifest = lumos_testkit::run_fixtures::manifest();
    manifest["cells"] = serde_json::to_value(cells).unwrap();
    fs::write(dir.path().join("manifest.json"), manifest.to_string()).unwrap();
    let text = stdout(&report(dir.path(), &[]));
    assert!(
        text.contains("1 of 2 planned cells have no rows, such as fibonacci/small/wasmtime-jit"),
        "{text}"
    );
}

#[test]
fn an_incomplete_last_line_is_left_out() {
    let mut lines = lines();
    let last = lines.last_mut().unwrap();
    last.truncate(last.len() / 2);
    let dir = run_directory(&lines);
    assert!(stdout(&report(dir.path(), &[])).contains("the run was killed"));
}

#[test]
fn a_damaged_line_is_named() {
    let mut lines = lines();
    lines[2] = "{\"schema\": 1, \"cell\n".into();
    let output = report(run_directory(&lines).path(), &[]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains("invocations.jsonl:3 is damaged"), "{error}");
}

#[test]
fn rows_of_a_later_lumos_are_refused() {
    let mut lines = lines();
    lines[1] = lines[1].replace("\"schema\":1", "\"schema\":99");
    let output = report(run_directory(&lines).path(), &[]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains("invocations.jsonl:2 has schema 99"), "{error}");
}

#[test]
fn other_directories_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for place in [dir.path(), &dir.path().join("nowhere")] {
        let output = report(place, &[]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2));
        assert!(error.contains("is not a run directory"), "{error}");
    }
}
