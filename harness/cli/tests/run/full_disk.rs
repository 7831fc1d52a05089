//! A disk that is full or read-only.

use std::path::{Path, PathBuf};
use std::process::Command;

use lumos_testkit::leftovers::assert_nothing_left;
use lumos_testkit::run_dir::{assert_no_doubles, counts};
use lumos_testkit::scratch::Scratch;

const MATRIX: &str = r#"
    functions = ["noop"]
    sizes = ["tiny"]
    targets = ["native", "wasmtime-aot"]
    start = ["warm"]
    storage = ["inline", "redis"]
"#;

/// A small file system in memory; unmounted when it is dropped.
struct Tmpfs(PathBuf);

impl Tmpfs {
    /// `None` when this user may not mount it; the test is then skipped.
    fn mount(at: &Path, options: &str) -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: only root may mount the file system that this test fills");
            return None;
        }
        std::fs::create_dir(at).unwrap();
        mount(&["-t", "tmpfs", "-o", options, "tmpfs"], at);
        Some(Self(at.to_owned()))
    }

    fn remount(&self, options: &str) {
        mount(&["-o", &format!("remount,{options}")], &self.0);
    }
}

fn mount(args: &[&str], at: &Path) {
    let mounted = Command::new("mount").args(args).arg(at).output().unwrap();
    assert!(mounted.status.success(), "{}", String::from_utf8_lossy(&mounted.stderr));
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_run_that_a_full_disk_ended_continues_when_there_is_space() {
    let scratch = Scratch::new();
    let Some(disk) = Tmpfs::mount(&scratch.path("disk"), "size=128k") else { return };
    let scenario = scratch.scenario("repetitions = 100\nblock = 10", MATRIX);
    let run = scratch.start(&scenario, "disk/out");
    let pid = run.pid();
    let ended = run.ended().expect(2);
    let resume = "continue with `lumos run --resume disk/out`";
    let ended = ended.says(&["disk/out/", "No space left on device", resume]);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    assert_nothing_left(&scratch, pid);

    // The disk is still full: the error is the same, and no row is lost.
    scratch.call(&["run", "--resume", "disk/out"]).expect(2).says(&["No space left on device"]);

    disk.remount("size=8m");
    scratch.call(&["run", "--resume", "disk/out"]).expect(0);
    let dir = scratch.path("disk/out");
    assert_no_doubles(&dir);
    let counts = counts(&dir);
    assert_eq!(counts.len(), 4);
    assert!(counts.values().all(|(n, _)| *n == 100), "{counts:?}");
}

#[test]
fn a_disk_without_space_for_the_manifest_is_named() {
    let scratch = Scratch::new();
    let Some(_disk) = Tmpfs::mount(&scratch.path("disk"), "size=4k") else { return };
    let scenario = scratch.scenario("repetitions = 1", MATRIX);
    let run = scratch.start(&scenario, "disk/out");
    let pid = run.pid();
    run.ended().expect(2).says(&["disk/out/", "No space left on device"]);
    assert_nothing_left(&scratch, pid);
}

#[test]
fn a_read_only_directory_is_named() {
    let scratch = Scratch::new();
    let Some(disk) = Tmpfs::mount(&scratch.path("disk"), "size=1m") else { return };
    let scenario = scratch.scenario("repetitions = 2", MATRIX);
    scratch.run(&scenario, "disk/done", &[]).expect(0);
    disk.remount("ro");
    let run = scratch.start(&scenario, "disk/out");
    let pid = run.pid();
    run.ended().expect(2).says(&["disk/out", "Read-only file system"]);
    assert_nothing_left(&scratch, pid);
    let resume = scratch.call(&["run", "--resume", "disk/done"]);
    resume.expect(2).says(&["disk/done/", "Read-only file system"]);
    scratch.call(&["report", "disk/done"]).expect(0);
}
