//! The plan of the house: which crate may use which, and that inside a crate files use files
//! below them only. ARCHITECTURE.md explains the plan.

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// For each crate the crates of this repository that it may use.
const ARROWS: [(&str, &[&str]); 18] = [
    ("lumos-wire", &[]),
    ("lumos-inputs", &[]),
    ("lumos-model", &["lumos-wire"]),
    ("lumos-stats", &[]),
    ("lumos-os", &["lumos-model"]),
    ("lumos-load", &["lumos-model", "lumos-os"]),
    ("lumos-runtime", &["lumos-model", "lumos-os"]),
    ("lumos-platform", &["lumos-load", "lumos-model", "lumos-os", "lumos-runtime"]),
    ("lumos-host", &["lumos-model", "lumos-os", "lumos-platform", "lumos-runtime"]),
    ("lumos-host-native", HOST),
    ("lumos-host-wasmedge", HOST),
    ("lumos-host-wasmtime", HOST),
    ("lumos-scenario", &["lumos-inputs", "lumos-model"]),
    ("lumos-record", &["lumos-model"]),
    (
        "lumos-analysis",
        &["lumos-inputs", "lumos-model", "lumos-record", "lumos-scenario", "lumos-stats"],
    ),
    (
        "lumos-report",
        &["lumos-analysis", "lumos-model", "lumos-record", "lumos-scenario", "lumos-stats"],
    ),
    (
        "lumos-runner",
        &[
            "lumos-inputs",
            "lumos-load",
            "lumos-model",
            "lumos-os",
            "lumos-record",
            "lumos-scenario",
            "lumos-stats",
        ],
    ),
    (
        "lumos-cli",
        &[
            "lumos-analysis",
            "lumos-inputs",
            "lumos-load",
            "lumos-model",
            "lumos-os",
            "lumos-record",
            "lumos-report",
            "lumos-runner",
            "lumos-scenario",
            "lumos-stats",
        ],
    ),
];

/// What the crate of a runtime may use.
const HOST: &[&str] = &["lumos-host", "lumos-model", "lumos-os", "lumos-runtime"];

/// Tests may use it; nothing else may, because it puts a simulated clock into lumos-os.
const TESTKIT: &str = "lumos-testkit";

/// A file that is longer usually has two subjects.
const MOST_LINES: usize = 450;
/// All of harness/cli/src: commands parse, call and print.
const MOST_LINES_OF_CLI: usize = 4_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout")
}

/// A crate of this repository.
struct Package {
    name: String,
    folder: PathBuf,
    /// The crates of this repository that it uses outside of tests.
    uses: BTreeSet<String>,
    /// Features that it asks of lumos-os.
    features_of_os: BTreeSet<String>,
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    metadata["packages"].as_array().expect("a list").iter().map(package).collect()
}

fn package(value: &Value) -> Package {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let dependencies = value["dependencies"].as_array().expect("a list").iter();
    let ours: Vec<&Value> = dependencies
        .filter(|dependency| dependency["kind"].is_null() && !dependency["path"].is_null())
        .collect();
    let features = ours.iter().filter(|dependency| dependency["name"] == "lumos-os");
    Package {
        name: text(&value["name"]),
        folder: Path::new(&text(&value["manifest_path"])).parent().expect("a folder").to_owned(),
        uses: ours.iter().map(|dependency| text(&dependency["name"])).collect(),
        features_of_os: features
            .flat_map(|dependency| dependency["features"].as_array().expect("a list"))
            .map(text)
            .collect(),
    }
}

#[test]
fn crates_use_only_what_the_plan_allows() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    for package in packages().iter().filter(|package| package.name != TESTKIT) {
        let name = &package.name;
        let allowed = allowed.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no place"));
        for used in &package.uses {
            assert!(allowed.contains(&used.as_str()), "{name} may not use {used}");
        }
    }
}

#[test]
fn the_testkit_knows_neither_runner_nor_command() {
    let packages = packages();
    let testkit = packages.iter().find(|package| package.name == TESTKIT).expect("it is this one");
    for above in ["lumos-runner", "lumos-cli"] {
        assert!(!testkit.uses.contains(above), "{TESTKIT} may not use {above}");
    }
}

#[test]
fn hosts_are_not_rebuilt_for_a_report() {
    let packages = packages();
    let uses: BTreeMap<&str, &BTreeSet<String>> =
        packages.iter().map(|package| (package.name.as_str(), &package.uses)).collect();
    for host in packages.iter().filter(|package| package.name.starts_with("lumos-host")) {
        let mut reached = BTreeSet::from([host.name.as_str()]);
        let mut open = vec![host.name.as_str()];
        while let Some(name) = open.pop() {
            for used in uses.get(name).into_iter().flat_map(|used| used.iter()) {
                if reached.insert(used) {
                    open.push(used);
                }
            }
        }
        for above in ["scenario", "record", "analysis", "report", "runner", "cli"] {
            let above = format!("lumos-{above}");
            assert!(!reached.contains(above.as_str()), "{} depends on {above}", host.name);
        }
    }
}

#[test]
fn only_the_testkit_asks_for_the_simulated_clock() {
    for package in packages().iter().filter(|package| package.name != TESTKIT) {
        assert!(
            package.features_of_os.is_empty(),
            "{}: {:?}",
            package.name,
            package.features_of_os
        );
    }
}

#[test]
fn files_use_files_below_them_only() {
    let mut circles = Vec::new();
    let functions = fs::read_dir(root().join("functions")).unwrap();
    let functions = functions.map(|entry| entry.unwrap().path());
    for folder in packages().into_iter().map(|package| package.folder).chain(functions) {
        let source = folder.join("src");
        if !source.is_dir() {
            continue;
        }
        for circle in imports::circles(&source) {
            circles.push(format!("{}: {}", folder.display(), circle.join(", ")));
        }
    }
    assert!(circles.is_empty(), "files that use each other:\n{}", circles.join("\n"));
}

#[test]
fn the_circle_finder_finds_circles() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("lib.rs", "mod a; mod b; mod c;");
    write("a.rs", "use crate::b::B; pub struct A;");
    write("b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }");
    write("c/mod.rs", "mod d; use d::D; pub struct C;");
    write("c/d.rs", "pub struct D;");
    assert_eq!(imports::circles(folder.path()), Vec::<Vec<String>>::new());
    write("b.rs", "pub struct B; fn f() { crate::a::A; }");
    write("c/d.rs", "use super::C; pub struct D;");
    let found = imports::circles(folder.path());
    assert_eq!(found, [vec!["a.rs", "b.rs"], vec!["c/d.rs", "c/mod.rs"]]);
}

#[test]
fn no_file_has_grown_too_long() {
    let root = root();
    let mut long = Vec::new();
    for top in ["harness", "runtimes", "functions"] {
        for file in imports::rust_files(&root.join(top)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            if lines > MOST_LINES {
                long.push(format!("{lines} {}", file.strip_prefix(&root).unwrap().display()));
            }
        }
    }
    assert!(long.is_empty(), "more than {MOST_LINES} lines:\n{}", long.join("\n"));
}

#[test]
fn the_command_stays_thin() {
    let files = imports::rust_files(&root().join("harness/cli/src"));
    let lines: usize =
        files.iter().map(|file| fs::read_to_string(file).unwrap().lines().count()).sum();
    assert!(lines < MOST_LINES_OF_CLI, "harness/cli/src has {lines} lines");
}

#[test]
fn checked_tests_are_built_with_checks() {
    // Set by scripts/checked.toml, beside the profile.
    let wanted = std::env::var_os("LUMOS_CHECKED").is_some();
    assert_eq!(cfg!(debug_assertions), wanted, "debug assertions");
    let overflows = std::panic::catch_unwind(|| std::hint::black_box(u8::MAX) + 1).is_err();
    assert_eq!(overflows, wanted, "overflow checks");
}
