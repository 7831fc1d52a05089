//! `lumos doctor` on a machine where nothing is built.

use std::path::Path;
use std::process::Command;

use lumos_testkit::scratch::{Ended, lumos};
use serde_json::Value;

/// Runs a copy of `lumos` that has no hosts next to it.
fn doctor(folder: &Path, more: &[&str]) -> Ended {
    let copy = folder.join("lumos");
    // Copied by a process of its own. A child of another test inherits the files that this one
    // has open, and the kernel executes no file that is open for writing.
    let copied = Command::new("cp").arg(lumos()).arg(&copy).status();
    assert!(copied.unwrap().success());
    let mut command = Command::new(copy);
    command.args(["doctor", "--artifacts"]).arg(folder).args(more).current_dir(folder);
    Ended::of(&mut command)
}

#[test]
fn without_hosts_and_functions_the_exit_code_is_1() {
    let folder = tempfile::tempdir().unwrap();
    let text = doctor(folder.path(), &[]).expect(1).stdout;
    assert!(text.contains("Nothing can be measured without: host native, functions."), "{text}");
    assert!(text.contains("./scripts/build.sh"), "{text}");
}

#[test]
fn json_has_every_check() {
    let folder = tempfile::tempdir().unwrap();
    let ended = doctor(folder.path(), &["--format", "json"]);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    let check = |name: &str| {
        let checks = json["checks"].as_array().unwrap();
        checks.iter().find(|check| check["check"] == name).unwrap().clone()
    };
    assert_eq!(check("host native")["state"], "missing");
    assert_eq!(check("host native")["need"], "essential");
    assert_eq!(check("functions")["mend"], "./scripts/build.sh");
    assert!(json["machine"]["kernel"].is_string(), "{json}");
}
