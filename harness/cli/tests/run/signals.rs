//! SIGINT and SIGTERM.

use std::collections::BTreeSet;

use lumos_testkit::leftovers::{assert_nothing_left, processes, runs};
use lumos_testkit::run_dir::{assert_no_doubles, counts, rows};
use lumos_testkit::scratch::{Ended, Running, Scratch, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const MATRIX: &str = r#"
    functions = ["noop", "mandelbrot-bitmap"]
    sizes = ["tiny"]
    targets = ["native", "wasmtime-aot"]
    isolation = ["process", "thread"]
    start = ["warm", "cold:process"]
    storage = ["inline", "local", "redis"]
"#;

/// Sends `signal` when `moment` returns. The run must end in good order, and can be resumed.
fn assert_ends_in_order(signal: Signal, moment: impl FnOnce(&mut Running) -> bool) {
    let scratch = Scratch::new();
    let scenario = scratch.scenario("repetitions = 20\nblock = 10", MATRIX);
    let mut run = scratch.start(&scenario, "out");
    let pid = run.pid();
    assert!(moment(&mut run), "it ended before the signal");
    assert!(runs(&scratch, pid), "the run has no processes");
    run.signal(signal);
    let ended = run.ended().expect(128 + signal as i32);
    assert!(ended.stdout.is_empty(), "{}", ended.stdout);
    ended.says(&["continue with `lumos run --resume out`", signal.as_str()]);
    assert_nothing_left(&scratch, pid);
    let left = std::fs::read_dir(scratch.path("")).unwrap().flatten();
    let left: BTreeSet<_> = left.map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["out".into(), "test.toml".into()].into(), "temporary files are left");

    let before = rows(&scratch.path("out"));
    scratch.call(&["run", "--resume", "out"]).expect(0);
    let after = rows(&scratch.path("out"));
    assert!(before.iter().all(|row| after.contains(row)), "a row was lost");
    assert_no_doubles(&scratch.path("out"));
    let counts = counts(&scratch.path("out"));
    assert_eq!(counts.len(), 3 * 2 * (2 + 3));
    assert!(counts.values().all(|(n, _)| *n == 20), "{counts:?}");
}

#[test]
fn sigint_ends_a_run_in_order() {
    assert_ends_in_order(Signal::SIGINT, |run| run.wait_for_rows(1));
}

#[test]
fn sigterm_ends_a_run_in_order() {
    assert_ends_in_order(Signal::SIGTERM, |run| run.wait_for_rows(100));
}

#[test]
fn a_signal_ends_the_gate() {
    assert_ends_in_order(Signal::SIGINT, Running::wait_for_begin);
}

#[test]
fn a_signal_ends_an_invocation_at_once() {
    let scratch = Scratch::new();
    let args = ["invoke", "conformance", "--target", "native", "--payload", r#"{"op":"spin"}"#];
    let child = scratch.lumos(&args).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    wait_until("the instance", || processes().any(|process| process.is_instance(pid)));
    kill(Pid::from_raw(pid as i32), Signal::SIGTERM).unwrap();
    let ended = Ended::from(child.wait_with_output().unwrap());
    ended.expect(143).says(&["SIGTERM"]);
    assert_nothing_left(&scratch, pid);
}
