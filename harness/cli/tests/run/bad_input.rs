//! Mistakes end with exit code 2, before anything is measured, and say what to do.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use lumos_testkit::scratch::Scratch;

const MATRIX: &str = r#"
    functions = ["noop"]
    sizes = ["tiny"]
    targets = ["native"]
    start = ["warm"]
    storage = ["inline", "redis"]
"#;

/// Runs `lumos` and asserts that it refuses, with each of `words`, and leaves nothing.
#[track_caller]
fn assert_refused(scratch: &Scratch, args: &[&str], words: &[&str]) {
    let ended = scratch.call(args).expect(2).says(words);
    assert!(ended.stdout.is_empty(), "{}", ended.stdout);
    assert!(ended.stderr.contains("error: "), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    assert!(!scratch.path("out").exists(), "a run directory was made");
}

#[test]
fn a_file_that_is_no_scenario_is_refused() {
    let scratch = Scratch::new();
    fs::write(scratch.path("typo.toml"), "name = \"x\"\nrepetitons = 1\n").unwrap();
    fs::write(scratch.path("binary.toml"), [0xff, 0xfe, 0]).unwrap();
    let out = |file| ["run", file, "--out", "out"];
    let typo = ["typo.toml:2:1", "did you mean `repetitions`?"];
    assert_refused(&scratch, &out("typo.toml"), &typo);
    assert_refused(&scratch, &out("nowhere.toml"), &["nowhere.toml", "No such file"]);
    assert_refused(&scratch, &out("."), &["cannot read the scenario .", "Is a directory"]);
    assert_refused(&scratch, &out("binary.toml"), &["binary.toml"]);
    assert_refused(&scratch, &["run"], &["<FILE"]);
}

#[test]
fn a_filter_that_leaves_nothing_is_refused() {
    let scratch = Scratch::new();
    let scenario = scratch.scenario("repetitions = 1", MATRIX);
    let run = ["run", scenario.to_str().unwrap(), "--out", "out", "--filter"];
    let with = |filter| [&run[..], &[filter]].concat();
    assert_refused(&scratch, &with("function=fibonacci"), &["--filter leaves no cell"]);
    assert_refused(&scratch, &with("functoin=noop"), &["did you mean"]);
    let more = [&with("function=noop")[..], &["--repetitions", "0"]].concat();
    assert_refused(&scratch, &more, &["--repetitions"]);
}

#[test]
fn a_target_that_is_not_here_is_named() {
    let scratch = Scratch::new();
    let scenario = scratch.scenario("repetitions = 1", &MATRIX.replace("native", "nowhere-aot"));
    let run = ["run", scenario.to_str().unwrap(), "--out", "out"];
    assert_refused(&scratch, &run, &["no cell of the scenario can run", "lumos-host-nowhere"]);
}

#[test]
fn artifacts_that_are_not_there_are_named() {
    let scratch = Scratch::new();
    let scenario = scratch.scenario("repetitions = 1", MATRIX);
    let run = ["run", scenario.to_str().unwrap(), "--out", "out", "--artifacts", "."];
    assert_refused(&scratch, &run, &["artifacts.json", "run ./scripts/build.sh"]);
}

#[test]
fn a_redis_server_that_cannot_be_had_is_refused() {
    let scratch = Scratch::new();
    let scenario = scratch.scenario("repetitions = 1", MATRIX);
    let run = ["run", scenario.to_str().unwrap(), "--out", "out", "--redis-url"];
    let with = |url| [&run[..], &[url]].concat();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let closed = format!("redis://{free}");
    assert_refused(&scratch, &with(&closed), &[&closed, "Connection refused"]);
    assert_refused(&scratch, &with("redis://localhost:6379"), &["must be numeric"]);
    assert_refused(&scratch, &with("http://127.0.0.1:6379"), &["must be numeric"]);

    // Somebody who takes the connection and stays silent.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    assert_refused(&scratch, &with(&url), &[&url]);
}

#[test]
fn without_a_redis_server_the_rest_still_runs() {
    let scratch = Scratch::new();
    let scenario = scratch.scenario("repetitions = 1", MATRIX);
    let run = |more: &[&str]| {
        let args = [&["run", scenario.to_str().unwrap(), "--out", "out"], more].concat();
        let output = scratch.lumos(&args).env("PATH", scratch.path("")).output().unwrap();
        lumos_testkit::scratch::Ended::from(output)
    };
    run(&[]).expect(2).says(&["needs redis-server", "install"]);
    assert!(!scratch.path("out").exists());
    run(&["--filter", "storage=inline"]).expect(0);
}

#[test]
fn what_is_no_run_is_not_resumed_and_a_run_is_not_overwritten() {
    let scratch = Scratch::new();
    assert_refused(&scratch, &["run", "--resume", "."], &["no run directory"]);
    assert_refused(&scratch, &["run", "--resume", "nowhere"], &["no run directory"]);
    let scenario = scratch.scenario("repetitions = 1", &MATRIX.replace(", \"redis\"", ""));
    let both = ["run", scenario.to_str().unwrap(), "--resume", "out"];
    assert_refused(&scratch, &both, &["cannot be used with"]);

    scratch.run(&scenario, "out", &[]).expect(0);
    let rows = fs::read(scratch.path("out/invocations.jsonl")).unwrap();
    scratch.run(&scenario, "out", &[]).expect(2).says(&["holds a run already", "--resume out"]);
    assert_eq!(fs::read(scratch.path("out/invocations.jsonl")).unwrap(), rows);

    fs::write(scratch.path("file"), "").unwrap();
    scratch.run(&scenario, "file", &[]).expect(2).says(&["file"]);
    scratch.run(&scenario, "file/below", &[]).expect(2).says(&["file/below"]);

    fs::write(scratch.path("out/manifest.json"), "{").unwrap();
    scratch.call(&["run", "--resume", "out"]).expect(2).says(&["manifest.json is damaged"]);
}

#[test]
fn two_do_not_measure_into_one_folder() {
    let scratch = Scratch::new();
    let matrix = MATRIX.replace("\"warm\"", "\"cold:process\"");
    let scenario = scratch.scenario("repetitions = 5000\nblock = 2", &matrix);
    let mut first = scratch.start(&scenario, "out");
    assert!(first.wait_for_rows(1));
    scratch.call(&["run", "--resume", "out"]).expect(2).says(&["another lumos measures into out"]);
}
