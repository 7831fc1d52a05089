//! The command: exit codes and output.

use std::process::Output;

use lumos_testkit::run_fixtures::{SCENARIO, directory, manifest};

fn compare(targets: [(&str, u64); 2], arguments: &[&str]) -> Output {
    let base =
        directory(&manifest(), SCENARIO, [("native", 1_000_000), ("wasmtime-aot", 2_000_000)]);
    let new = directory(&manifest(), SCENARIO, targets);
    lumos(&base, &new, arguments)
}

pub fn lumos(base: &tempfile::TempDir, new: &tempfile::TempDir, arguments: &[&str]) -> Output {
    let mut lumos = std::process::Command::new(env!("CARGO_BIN_EXE_lumos"));
    lumos.arg("compare").args([base.path(), new.path()]).args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_regression_exits_with_1() {
    let output = compare([("native", 1_000_000), ("wasmtime-aot", 2_200_000)], &[]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("Slower (1)\n"), "{text}");
    assert!(text.contains("fibonacci small wasmtime-aot process warm redis"), "{text}");
    assert!(
        text.contains("2.00 ms") && text.contains("2.20 ms") && text.contains("1.100"),
        "{text}"
    );
    let widest =
        text.lines().filter(|line| !line.starts_with(['b', 'n'])).map(|l| l.chars().count());
    assert!(widest.max().unwrap() <= 100, "{text}");
}

#[test]
fn no_change_and_an_improvement_exit_with_0() {
    let same = compare([("native", 1_000_000), ("wasmtime-aot", 2_000_000)], &[]);
    assert_eq!(same.status.code(), Some(0));
    assert!(!text(&same).contains("Slower ("), "{}", text(&same));
    let faster = compare([("native", 900_000), ("wasmtime-aot", 2_000_000)], &[]);
    assert_eq!(faster.status.code(), Some(0));
    assert!(text(&faster).contains("Faster (1)\n"), "{}", text(&faster));
}

#[test]
fn margin_and_metric_are_respected() {
    let slower = [("native", 1_000_000), ("wasmtime-aot", 2_200_000)];
    assert_eq!(compare(slower, &["--margin", "15%"]).status.code(), Some(0));
    assert_eq!(compare(slower, &["--metric", "compute"]).status.code(), Some(1));
    let none = compare(slower, &["--metric", "cold_start"]);
    assert_eq!(none.status.code(), Some(0));
    assert!(text(&none).contains("No cell has samples in both runs"), "{}", text(&none));
    for wrong in [["--margin", "-1%"], ["--level", "101"], ["--level", "x"], ["--metric", "speed"]]
    {
        assert_eq!(compare(slower, &wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn json_has_every_comparison() {
    let output =
        compare([("native", 1_000_000), ("wasmtime-aot", 2_200_000)], &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["level_of_each"], 0.975);
    let cells = json["cells"].as_array().unwrap();
    let slower: Vec<_> = cells.iter().filter(|cell| cell["verdict"] == "slower").collect();
    assert_eq!((cells.len(), slower.len()), (2, 1));
    assert_eq!(slower[0]["cell"]["target"], "wasmtime-aot");
    assert_eq!(slower[0]["metric"], "total");
    let [lo, hi] = [0, 1].map(|end| slower[0]["interval"][end].as_f64().unwrap());
    assert!((1.09..=1.1).contains(&lo) && (1.1..1.11).contains(&hi), "{lo} {hi}");
}

#[test]
fn a_cell_that_only_fails_now_is_a_regression() {
    let output = compare([("native", 1_000_000), ("wasmtime-aot", 0)], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("worked in the base run and fail now (1)"), "{}", text(&output));
}

#[test]
fn cells_of_only_one_run_are_listed() {
    let output = compare([("native", 1_000_000), ("wasmtime-jit", 2_000_000)], &[]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("only in the base run (1): fibonacci small wasmtime-aot"), "{text}");
    assert!(text.contains("only in the new run (1): fibonacci small wasmtime-jit"), "{text}");
}

#[test]
fn a_directory_without_a_run_exits_with_2() {
    let empty = tempfile::tempdir().unwrap();
    let run = directory(&manifest(), SCENARIO, [("native", 1), ("wasmtime-aot", 2)]);
    let output = lumos(&run, &empty, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not a run directory"));
}
