//! `lumos plan` and `lumos list`, run as processes.

use std::path::{Path, PathBuf};
use std::process::Command;

use lumos_testkit::scratch::{Ended, lumos};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn call(args: &[&str]) -> Ended {
    Ended::of(Command::new(lumos()).current_dir(root()).args(args))
}

fn json(args: &[&str]) -> serde_json::Value {
    serde_json::from_str(&call(args).expect(0).stdout).unwrap()
}

#[test]
fn all_shipped_scenarios_are_valid_and_described() {
    let list = json(&["list", "scenarios", "--format", "json"]);
    let scenarios = list["scenarios"].as_array().unwrap();
    assert!(scenarios.len() >= 2);
    for scenario in scenarios {
        assert!(scenario["error"].is_null(), "{scenario}");
        assert!(scenario["description"].is_string(), "{} lacks a description", scenario["file"]);
    }
}

#[test]
fn a_plan_lists_every_cell_whatever_is_installed() {
    let plan = json(&["plan", "scenarios/quick.toml", "--format", "json"]);
    assert_eq!(plan["cells"].as_array().unwrap().len(), 9 * 7 * 2);

    let filter = ["--filter", "function=noop,start=warm", "--filter", "target=*-aot"];
    let args = [&["plan", "scenarios/quick.toml", "--format", "json"], &filter[..]].concat();
    let part = json(&args);
    assert_eq!(part["cells"].as_array().unwrap().len(), 2);
}

#[test]
fn functions_and_targets_are_listed() {
    let functions = json(&["list", "functions", "--format", "json"]);
    assert_eq!(functions["functions"][0]["name"], "noop");
    assert!(json(&["list", "targets", "--format", "json"])["targets"].is_array());
}

#[test]
fn bad_input_exits_with_2_and_names_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    std::fs::write(&file, "name = \"x\"\nrepetitons = 1\n").unwrap();
    let refusal = |args: &[&str]| {
        let ended = call(args).expect(2);
        assert!(ended.stdout.is_empty(), "{args:?}: {}", ended.stdout);
        ended.stderr
    };
    let file = file.to_str().unwrap();
    let error = refusal(&["plan", file]);
    assert!(
        error.contains("x.toml:2:1") && error.contains("did you mean `repetitions`?"),
        "{error}"
    );
    assert!(refusal(&["plan", "no/such.toml"]).contains("because: No such file"));
    assert!(
        refusal(&["plan", "scenarios/quick.toml", "--filter", "functoin=noop"])
            .contains("did you mean")
    );
    let error = refusal(&["plan", "scenarios/quick.toml", "--filter", "function=nope"]);
    assert!(error.contains("no cell of scenarios/quick.toml matches"), "{error}");
    refusal(&["plan", "scenarios/quick.toml", "--repetitions", "0"]);
    refusal(&["plan"]);
    refusal(&["dance"]);
}
