//! Cells under load, with both drivers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use lumos_model::cell::{Driver, Start};
use lumos_model::phase::Phase;
use lumos_model::row::{Outcome, Row};
use lumos_testkit::leftovers::{assert_nothing_left, processes};
use lumos_testkit::run_dir::{assert_no_doubles, json, rows, telemetry};
use lumos_testkit::scratch::{Scratch, wait_until};
use nix::sys::signal::Signal;

const MATRIX: &str = r#"
    functions = ["noop"]
    sizes = ["tiny"]
    targets = ["native", "wasmtime-aot"]
    isolation = ["process", "thread"]
"#;

const CLOSED: &str = r#"
    [arrival]
    kind = "closed"
    concurrency = [1, 3]
    [load]
    driver = ["direct", "http"]
    duration = "300ms"
    requests = 60
    [pool]
    keep_alive = "5s"
"#;

/// A scenario with these repetitions and tables of load.
fn scenario(scratch: &Scratch, repetitions: u32, load: &str) -> std::path::PathBuf {
    let text =
        format!("name = \"test\"\nrepetitions = {repetitions}\n[matrix]\n{MATRIX}\n{load}\n");
    let path = scratch.path("test.toml");
    fs::write(&path, text).unwrap();
    path
}

fn driver(row: &Row) -> Driver {
    row.cell.load().expect("a cell under load").driver
}

#[test]
fn every_request_is_a_row_and_client_and_gateway_agree() {
    let scratch = Scratch::new();
    let scenario = scenario(&scratch, 2, CLOSED);
    let run = scratch.start(&scenario, "out");
    let pid = run.pid();
    let ended = run.ended().expect(0);
    assert_nothing_left(&scratch, pid);
    for part in ["The platform's part", "n/a: one thread", "held: blocks of all cells shuffled"] {
        assert!(ended.stdout.contains(part), "no `{part}` in:\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains("VIOLATED"), "{}", ended.stdout);
    assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);

    let dir = scratch.path("out");
    let rows = rows(&dir);
    assert_no_doubles(&dir);
    for row in &rows {
        let sample = &row.sample;
        assert_eq!(sample.outcome, Outcome::Ok, "{row:?}");
        assert_eq!(sample.phases_ns.total(), sample.total_ns, "{row:?}");
        assert!(sample.start_kind == Start::Warm || sample.start_kind.is_cold(), "{row:?}");
        assert!(sample.instance.is_some() && sample.output_sha256.is_some(), "{row:?}");
        assert_eq!(sample.platform_ns.is_some(), driver(row) == Driver::Http, "{row:?}");
        let late = sample.late_ns.unwrap_or(0);
        assert!(sample.phases_ns.get(Phase::Queue) >= late, "{row:?}");
        let outside = sample.platform_ns.unwrap_or(0);
        assert!(sample.phases_ns.get(Phase::Other) >= outside, "{row:?}");
    }
    let outputs: BTreeSet<_> = rows.iter().map(|row| &row.sample.output_sha256).collect();
    assert_eq!(outputs.len(), 1);
    // Native in processes, Wasmtime in processes and threads; two drivers, two concurrencies.
    let cells: BTreeSet<_> = rows.iter().map(|row| &row.cell).collect();
    assert_eq!(cells.len(), 3 * 4);
    assert_each_block_is_accounted_for(&dir, &rows);
}

/// Whether this process has `CAP_SYS_NICE`, number 23 (capabilities(7)).
fn may_be_nice() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let bits = u64::from_str_radix(line.expect("a line of capabilities").trim(), 16).unwrap();
    bits >> 23 & 1 == 1
}

/// Asserts that rows, telemetry and summary count the same requests.
fn assert_each_block_is_accounted_for(dir: &Path, rows: &[Row]) {
    let mut of_block: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        of_block.entry((row.cell.clone(), row.block, row.control)).or_default().push(row);
    }
    let blocks = telemetry(dir);
    assert_eq!(blocks.len(), of_block.len());
    for block in &blocks {
        let rows = &of_block[&(block.cell.clone(), block.block, block.control)];
        let pool = block.pool.as_ref().expect("a block under load");
        let point = block.cell.load().unwrap();
        assert_eq!(u64::from(block.rows), pool.requests);
        assert_eq!(rows.len() as u64, pool.requests);
        assert_eq!(rows.iter().map(|row| row.sample.seq).max(), Some(block.rows - 1));
        assert!(rows.iter().any(|row| row.sample.start_kind.is_cold()), "the pool starts empty");
        assert!(pool.peak_instances >= 1 && !pool.events.is_empty() && pool.lost == 0);
        let most = rows.iter().filter_map(|row| row.sample.instance).max().unwrap();
        assert!(most < 3, "one instance for each of three clients is enough");
        assert!(pool.begin_ns < pool.end_ns);
        let keeps_times = !point.traffic.arrival.is_closed();
        assert_eq!(pool.raised_priority, keeps_times && may_be_nice());
        match (&pool.agreement, point.driver) {
            (None, Driver::Direct) => {}
            (Some(agreement), Driver::Http) => {
                assert_eq!(agreement.fault(), None);
                let counts =
                    [agreement.client, agreement.answered, agreement.server, agreement.both];
                assert_eq!(counts, [pool.requests; 4]);
            }
            other => panic!("{other:?}"),
        }
    }
    let summary = json(&dir.join("summary.json"));
    let requests =
        summary["load"].as_array().unwrap().iter().map(|c| c["requests"].as_u64().unwrap());
    let without_control = rows.iter().filter(|row| !row.control).count() as u64;
    assert_eq!(requests.sum::<u64>(), without_control);
    assert_eq!(summary["cells"].as_array().unwrap().len(), 0);
}

#[test]
fn a_run_of_load_can_be_resumed_and_its_report_is_stable() {
    let scratch = Scratch::new();
    let scenario = scenario(&scratch, 2, CLOSED);
    let narrow = ["--filter", "arrival=closed-3,isolation=process,driver=http"];
    scratch.run(&scenario, "out", &narrow).expect(0);
    let dir = scratch.path("out");
    let keys = |dir: &Path| -> BTreeSet<_> {
        telemetry(dir).into_iter().map(|block| (block.cell, block.block, block.control)).collect()
    };
    let whole = keys(&dir);
    assert_eq!(whole.len(), 2 * 2 + 2);
    let written = fs::read_to_string(dir.join("summary.json")).unwrap();
    let report = scratch.call(&["report", "out", "--format", "json"]).expect(0).stdout;
    assert_eq!(report, written);

    let compared = scratch.call(&["compare", "out", "out", "--format", "json"]).expect(0).stdout;
    let compared: serde_json::Value = serde_json::from_str(&compared).unwrap();
    let metrics: BTreeSet<_> =
        compared["cells"].as_array().unwrap().iter().map(|c| c["metric"].to_string()).collect();
    assert_eq!(metrics.into_iter().collect::<Vec<_>>(), ["\"per_response\"", "\"total\""]);

    // As if the run had been killed in its second block.
    let first = telemetry(&dir)[0].rows as usize;
    for (name, lines) in [("invocations.jsonl", first + 3), ("telemetry.jsonl", 1)] {
        let text = fs::read_to_string(dir.join(name)).unwrap();
        let kept: String = text.lines().take(lines).map(|line| format!("{line}\n")).collect();
        fs::write(dir.join(name), kept).unwrap();
    }
    scratch.call(&["run", "--resume", "out"]).expect(0);
    assert_eq!(keys(&dir), whole);
    assert_no_doubles(&dir);
    let rows = rows(&dir).len();
    assert_eq!(rows, telemetry(&dir).iter().map(|block| block.rows as usize).sum::<usize>());
}

#[test]
fn a_signal_ends_a_period_of_load_at_once() {
    let scratch = Scratch::new();
    let only_processes = |path: std::path::PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(", \"thread\"]", "]")).unwrap();
        path
    };
    let long = CLOSED.replace("300ms", "10m").replace("requests = 60", "requests = 2000000000");
    let driver = |word: &str| long.replace("[\"direct\", \"http\"]", &format!("\"{word}\""));
    for (word, out) in [("http", "a"), ("direct", "b")] {
        let scenario = only_processes(scenario(&scratch, 2, &driver(word)));
        let mut run = scratch.start(&scenario, out);
        let pid = run.pid();
        assert!(run.wait_for_begin());
        // The first block never ends. It has started when an instance has used 0.1 s of CPU time.
        wait_until("an instance at work", || {
            processes().any(|process| process.is_instance(pid) && process.ticks() >= 10)
        });
        run.signal(Signal::SIGINT);
        let ended = run.ended().expect(130);
        assert!(ended.stderr.contains("--resume"), "{}", ended.stderr);
        assert_nothing_left(&scratch, pid);
    }
}

#[test]
fn recorded_arrivals_are_copied_and_sent() {
    let scratch = Scratch::new();
    fs::write(scratch.path("day.csv"), "at_s\n0\n0.05\n0.05\n0.1\n").unwrap();
    let load = "[arrival]\nkind = \"trace\"\nfile = \"day.csv\"\n[load]\nduration = \"300ms\"\n\
                driver = [\"direct\", \"http\"]";
    let scenario = scenario(&scratch, 1, load);
    scratch.run(&scenario, "out", &["--filter", "target=native"]).expect(0);
    let dir = scratch.path("out");
    let manifest = json(&dir.join("manifest.json"));
    assert_eq!(manifest["trace"]["file"], "day.csv");
    assert_eq!(manifest["trace"]["bytes"], 21);
    assert_eq!(
        fs::read(dir.join("trace.csv")).unwrap(),
        fs::read(scratch.path("day.csv")).unwrap()
    );
    assert_eq!(telemetry(&dir).len(), 2 + 1);
    for block in telemetry(&dir) {
        assert_eq!(block.rows, 4, "{block:?}");
    }
    let mut offsets: Vec<u64> = Vec::new();
    let rows = rows(&dir);
    let of_http: Vec<&Row> = rows.iter().filter(|row| driver(row) == Driver::Http).collect();
    offsets
        .extend(of_http.iter().map(|row| row.sample.intended_ns - of_http[0].sample.intended_ns));
    assert_eq!(offsets, [0, 50_000_000, 50_000_000, 100_000_000]);

    // The file may be removed, because the run has a copy, which must not change.
    fs::remove_file(scratch.path("day.csv")).unwrap();
    scratch.call(&["run", "--resume", "out"]).expect(0);
    scratch.call(&["report", "out"]).expect(0);
    fs::write(dir.join("trace.csv"), "at_s\n0\n").unwrap();
    scratch.call(&["run", "--resume", "out"]).expect(2).says(&["trace.csv", "start a new run"]);
}

#[test]
fn an_overload_is_counted_and_does_not_fail_the_run() {
    let scratch = Scratch::new();
    let load = r#"
        [arrival]
        kind = "constant"
        rate = 4000
        [load]
        driver = ["direct", "http"]
        duration = "500ms"
        [pool]
        max_instances = 1
        queue = 0
    "#;
    let scenario = scenario(&scratch, 1, load);
    // A new process takes longer than a quarter of a millisecond, and only one request may wait
    // for it.
    scratch.run(&scenario, "out", &["--filter", "target=native"]).expect(0);
    let rows = rows(&scratch.path("out"));
    for driver in Driver::ALL {
        let of = rows.iter().filter(|row| self::driver(row) == *driver && !row.control);
        let outcomes: Vec<Outcome> = of.map(|row| row.sample.outcome).collect();
        assert_eq!(outcomes.len(), 2000);
        let known = [Outcome::Ok, Outcome::Rejected];
        assert!(outcomes.iter().all(|outcome| known.contains(outcome)), "{outcomes:?}");
        assert!(known.iter().all(|outcome| outcomes.contains(outcome)), "{outcomes:?}");
    }
}
