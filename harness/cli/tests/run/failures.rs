//! Failures of functions are measured as failures.

use std::collections::BTreeSet;

use lumos_model::row::{Outcome, Row};
use lumos_testkit::leftovers::assert_nothing_left;
use lumos_testkit::run_dir::rows;
use lumos_testkit::scratch::{Ended, Scratch};

fn outcomes(rows: &[Row], target: &str) -> BTreeSet<String> {
    let rows = rows.iter().filter(|row| row.cell.target.to_string() == target);
    rows.map(|row| row.sample.outcome.to_string()).collect()
}

/// Runs with `limits`, and asserts that only `wasmtime-interp` fails, always with `outcome`.
fn assert_interpreter_fails(function: &str, limits: &str, outcome: Outcome) -> (Vec<Row>, Ended) {
    let scratch = Scratch::new();
    let matrix = format!(
        r#"
        functions = ["{function}"]
        sizes = ["small"]
        targets = ["native", "wasmtime-interp"]
        isolation = ["process", "thread"]
        start = ["warm", "cold:process"]
        [limits]
        {limits}
        "#
    );
    let scenario = scratch.scenario("repetitions = 2\nblock = 1", &matrix);
    let run = scratch.start(&scenario, "out");
    let pid = run.pid();
    let ended = run.ended().expect(1);
    assert_nothing_left(&scratch, pid);
    let rows = rows(&scratch.path("out"));
    assert_eq!(outcomes(&rows, "native"), ["ok".to_owned()].into());
    assert_eq!(outcomes(&rows, "wasmtime-interp"), [outcome.to_string()].into());
    for row in rows.iter().filter(|row| row.sample.outcome != Outcome::Ok) {
        assert!(row.sample.error.is_some(), "{row:?}");
    }
    assert!(ended.stdout.contains("Failed"), "{}", ended.stdout);
    (rows, ended)
}

#[test]
fn a_function_that_exceeds_its_timeout_has_rows_that_say_so() {
    let (rows, ended) =
        assert_interpreter_fails("mandelbrot-bitmap", r#"timeout = "60ms""#, Outcome::Timeout);
    assert_eq!(rows.len(), 3 * 2 + 2 * 2 + 2, "a row for each sample, and the control pair's");
    assert!(ended.stdout.contains("wasmtime-interp timed out"), "{}", ended.stdout);
}

#[test]
fn a_function_that_exceeds_its_memory_has_rows_that_say_so() {
    let (_, ended) =
        assert_interpreter_fails("fibonacci", r#"memory = "3MiB""#, Outcome::OutOfMemory);
    assert!(ended.stdout.contains("wasmtime-interp out of memory"), "{}", ended.stdout);
}
