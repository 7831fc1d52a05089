//! Groups that a dead run left are removed by the next one.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;

use lumos_testkit::leftovers::{groups_of, hierarchies};
use lumos_testkit::scratch::Scratch;

/// Creates `lumos/run-PID/0/instance-0` in each hierarchy, as a run does. Returns false when this
/// user may not.
fn make_groups(pid: u32) -> bool {
    let below = format!("lumos/run-{pid}/0/instance-0");
    let is_used = |root: &PathBuf| {
        let names = ["cgroup", "cpu", "memory", "unified"];
        names.iter().any(|name| root.ends_with(name))
    };
    let mut roots = hierarchies();
    roots.retain(is_used);
    roots.iter().filter(|root| fs::create_dir_all(root.join(&below)).is_ok()).count() > 0
}

#[test]
fn groups_of_dead_runs_are_removed_and_those_of_live_runs_are_not() {
    let mut dead = Command::new("true").spawn().unwrap();
    dead.wait().unwrap();
    let live = std::process::id();
    if !make_groups(dead.id()) || !make_groups(live) {
        eprintln!("skipped: this user may not create control groups");
        return;
    }
    let mut left = Command::new("sleep").arg("600").spawn().unwrap();
    for folder in groups_of(dead.id()) {
        fs::write(folder.join("0/instance-0/cgroup.procs"), left.id().to_string()).unwrap();
    }

    let scratch = Scratch::new();
    scratch.call(&["invoke", "noop", "--target", "native"]).expect(0);
    assert!(groups_of(dead.id()).is_empty());
    assert_eq!(left.wait().unwrap().signal(), Some(9), "a process of a dead run is still alive");

    assert!(!groups_of(live).is_empty());
    for folder in groups_of(live) {
        for below in ["0/instance-0", "0", ""] {
            fs::remove_dir(folder.join(below)).unwrap();
        }
    }
}
