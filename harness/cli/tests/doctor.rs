//! `lumos doctor` on a machine where nothing is built.

use std::process::Command;

use serde_json::Value;

/// A `lumos` without hosts beside it.
fn alone(folder: &std::path::Path) -> Command {
    let lumos = folder.join("lumos");
    // By a process of its own: a file that this one has open for writing when the other test
    // starts a child cannot be executed as long as that child has not.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_lumos")).arg(&lumos).status();
    assert!(copied.unwrap().success());
    let mut command = Command::new(lumos);
    command.arg("doctor").arg("--artifacts").arg(folder).current_dir(folder);
    command
}

#[test]
fn without_hosts_and_functions_the_exit_code_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let output = alone(folder.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("Nothing can be measured without: host native, functions."), "{text}");
    assert!(text.contains("./scripts/build.sh"), "{text}");
}

#[test]
fn programs_get_every_check() {
    let folder = tempfile::tempdir().unwrap();
    let output = alone(folder.path()).args(["--format", "json"]).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let check = |name: &str| {
        let checks = json["checks"].as_array().unwrap();
        checks.iter().find(|check| check["check"] == name).unwrap().clone()
    };
    assert_eq!(check("host native")["state"], "missing");
    assert_eq!(check("host native")["need"], "essential");
    assert_eq!(check("functions")["mend"], "./scripts/build.sh");
    assert!(json["machine"]["kernel"].is_string(), "{json}");
}
