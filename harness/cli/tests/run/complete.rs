//! A run that is not disturbed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;

use lumos_model::row::Outcome;
use lumos_testkit::leftovers::assert_nothing_left;
use lumos_testkit::run_dir::{assert_no_doubles, json, rows, telemetry};
use lumos_testkit::scratch::Scratch;
use serde_json::Value;

const MATRIX: &str = r#"
    functions = ["noop", "fibonacci", "mandelbrot-bitmap"]
    sizes = ["tiny"]
    targets = ["native", "wasmtime-aot"]
    isolation = ["process", "thread"]
    start = ["warm", "cold:process", "cold:instance"]
    storage = ["inline", "redis"]
"#;

#[test]
fn a_run_writes_every_file_and_a_row_for_every_planned_sample() {
    let scratch = Scratch::new();
    let scenario = scratch.scenario("repetitions = 3\nblock = 2", MATRIX);
    let run = scratch.start(&scenario, "out");
    let pid = run.pid();
    let ended = run.ended().expect(0);
    assert_nothing_left(&scratch, pid);
    assert!(ended.stdout.contains("mandelbrot-bitmap"), "{}", ended.stdout);
    assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);

    let dir = scratch.path("out");
    let scenario_text = fs::read_to_string(&scenario).unwrap();
    assert_eq!(fs::read_to_string(dir.join("scenario.toml")).unwrap(), scenario_text);
    assert_eq!(json(&dir.join("manifest.json"))["seed"], 42);
    assert!(fs::read_to_string(dir.join("report.md")).unwrap().starts_with("# test\n"));
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 6, "the directory has no other files");

    let rows = rows(&dir);
    for row in &rows {
        let sample = &row.sample;
        assert_eq!(sample.outcome, Outcome::Ok, "{row:?}");
        assert_eq!(sample.start_kind, row.cell.start(), "{row:?}");
        assert_eq!(sample.phases_ns.iter().map(|(_, ns)| ns).sum::<u64>(), sample.total_ns);
        assert!(sample.output_sha256.is_some());
    }
    assert_no_doubles(&dir);
    assert_every_block_is_there(&scratch, &dir);

    let mut outputs: HashMap<_, HashSet<_>> = HashMap::new();
    for row in &rows {
        let key = (&row.cell.function, row.cell.storage);
        outputs.entry(key).or_default().insert(row.sample.output_sha256.as_deref());
    }
    assert_eq!(outputs.len(), 6);
    assert!(outputs.values().all(|hashes| hashes.len() == 1), "{outputs:?}");
}

/// Asserts that every block of the plan has its rows and its line of telemetry, in the order of
/// the plan.
fn assert_every_block_is_there(scratch: &Scratch, dir: &std::path::Path) {
    let plan = scratch.call(&["plan", "test.toml", "--format", "json"]).expect(0);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let key = |value: &Value| {
        (value["cell"].to_string(), value["block"].clone().to_string(), value["control"] == true)
    };
    let planned: Vec<_> = plan["blocks"].as_array().unwrap().iter().collect();
    assert!(planned.iter().any(|block| block["control"] == true), "no control pair");

    let mut rows_of_block: BTreeMap<_, u64> = BTreeMap::new();
    for row in rows(dir) {
        *rows_of_block.entry(key(&serde_json::to_value(row).unwrap())).or_default() += 1;
    }
    let expected: BTreeMap<_, u64> =
        planned.iter().map(|block| (key(block), block["samples"].as_u64().unwrap())).collect();
    assert_eq!(rows_of_block, expected);

    let order: Vec<_> = telemetry(dir).iter().map(|block| block.order as usize).collect();
    assert_eq!(order, (0..planned.len()).collect::<Vec<_>>());
}

#[test]
fn a_report_is_the_same_any_time() {
    let scratch = Scratch::new();
    let matrix = r#"
        functions = ["fibonacci"]
        sizes = ["tiny"]
        targets = ["native", "wasmtime-aot"]
        start = ["warm"]
    "#;
    let scenario = scratch.scenario("repetitions = 6\nblock = 2", matrix);
    scratch.run(&scenario, "out", &[]).expect(0);
    let written = fs::read_to_string(scratch.path("out/summary.json")).unwrap();
    for _ in 0..2 {
        let report = scratch.call(&["report", "out", "--format", "json"]).expect(0);
        assert_eq!(report.stdout, written);
    }
    let written = fs::read_to_string(scratch.path("out/report.md")).unwrap();
    assert_eq!(scratch.call(&["report", "out", "--format", "md"]).expect(0).stdout, written);

    scratch.call(&["run", "--resume", "out"]).expect(0);
    let again = scratch.call(&["report", "out", "--format", "md"]).expect(0).stdout;
    assert_eq!(again, written, "resuming a complete run changes nothing");
}

#[test]
fn filters_and_repetitions_also_apply_to_a_resumed_run() {
    let scratch = Scratch::new();
    let matrix = r#"
        functions = ["noop", "fibonacci"]
        sizes = ["tiny"]
        targets = ["native", "wasmtime-aot"]
        start = ["warm"]
    "#;
    let scenario = scratch.scenario("repetitions = 4\nblock = 1", matrix);
    let filters = ["--filter", "function=noop", "--filter", "target=native"];
    let options = [&filters[..], &["--repetitions", "2"]].concat();
    scratch.run(&scenario, "out", &options).expect(0);
    let manifest = json(&scratch.path("out/manifest.json"));
    assert_eq!(manifest["options"]["filter"], "function=noop,target=native");
    let whole = rows(&scratch.path("out"));
    assert_eq!(whole.len(), 2 + 2, "two samples, and two of the control pair");

    // As if the run had been killed after its first block.
    for file in ["invocations.jsonl", "telemetry.jsonl"].map(|name| scratch.path("out").join(name))
    {
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.lines().next().unwrap()).unwrap();
    }
    scratch.call(&["run", "--resume", "out"]).expect(0);
    let keys = |rows: &[lumos_model::row::Row]| {
        let keys = rows.iter().map(|row| (row.cell.clone(), row.block, row.control));
        keys.collect::<Vec<_>>()
    };
    assert_eq!(keys(&rows(&scratch.path("out"))), keys(&whole));
}
