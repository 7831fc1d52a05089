//! Bad input ends with exit code 2 before anything is measured, and the error says what to do.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use lumos_testkit::scratch::{Ended, Scratch};

const MATRIX: &str = r#"
    functions = ["noop"]
    sizes = ["tiny"]
    targets = ["native"]
    start = ["warm"]
    storage = ["inline", "redis"]
"#;

/// Asserts that `lumos` refuses these arguments, says each of `words`, and creates no run
/// directory.
#[track_caller]
fn assert_refused(scratch: &Scratch, args: &[&str], words: &[&str]) {
    let ended = scratch.call(args).expect(2).says(words);
    assert!(ended.stdout.is_empty(), "{}", ended.stdout);
    assert!(ended.stderr.contains("error: "), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    assert!(!scratch.path("out").exists(), "a run directory was created");
}

#[test]
fn a_file_that_is_not_a_scenario_is_refused() {
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
fn a_filter_that_matches_nothing_is_refused() {
    let scratch = Scratch::new();
    let scenario = scratch.scenario("repetitions = 1", MATRIX);
    let run = ["run", scenario.to_str().unwrap(), "--out", "out", "--filter"];
    let with = |filter| [&run[..], &[filter]].concat();
    assert_refused(
        &scratch,
        &with("function=fibonacci"),
        &["no cell of the scenario matches --filter"],
    );
    assert_refused(&scratch, &with("functoin=noop"), &["did you mean"]);
    let more = [&with("function=noop")[..], &["--repetitions", "0"]].concat();
    assert_refused(&scratch, &more, &["--repetitions"]);
}

#[test]
fn a_target_without_a_host_is_named() {
    let scratch = Scratch::new();
    let scenario = scratch.scenario("repetitions = 1", &MATRIX.replace("native", "nowhere-aot"));
    let run = ["run", scenario.to_str().unwrap(), "--out", "out"];
    assert_refused(&scratch, &run, &["no cell of the scenario can run", "lumos-host-nowhere"]);
}

#[test]
fn missing_artifacts_are_named() {
    let scratch = Scratch::new();
    let scenario = scratch.scenario("repetitions = 1", MATRIX);
    let run = ["run", scenario.to_str().unwrap(), "--out", "out", "--artifacts", "."];
    assert_refused(&scratch, &run, &["artifacts.json", "run ./scripts/build.sh"]);
}

#[test]
fn a_redis_server_that_does_not_answer_is_refused() {
    let scratch = Scratch::new();
    let scenario = scratch.scenario("repetitions = 1", MATRIX);
    let run = ["run", scenario.to_str().unwrap(), "--out", "out", "--redis-url"];
    let with = |url| [&run[..], &[url]].concat();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let closed = format!("redis://{free}");
    assert_refused(&scratch, &with(&closed), &[&closed, "Connection refused"]);
    assert_refused(&scratch, &with("redis://localhost:6379"), &["must be numeric"]);
    assert_refused(&scratch, &with("http://127.0.0.1:6379"), &["must be numeric"]);

    // A server that accepts the connection and stays silent.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    assert_refused(&scratch, &with(&url), &[&url]);
}

#[test]
fn without_redis_other_storages_still_run() {
    let scratch = Scratch::new();
    let scenario = scratch.scenario("repetitions = 1", MATRIX);
    let run = |more: &[&str]| {
        let args = [&["run", scenario.to_str().unwrap(), "--out", "out"], more].concat();
        Ended::of(scratch.lumos(&args).env("PATH", scratch.path("")))
    };
    run(&[]).expect(2).says(&["needs redis-server", "install"]);
    assert!(!scratch.path("out").exists());
    run(&["--filter", "storage=inline"]).expect(0);
}

#[test]
fn only_a_run_is_resumed_and_no_run_is_overwritten() {
    let scratch = Scratch::new();
    assert_refused(&scratch, &["run", "--resume", "."], &["is not a run directory"]);
    assert_refused(&scratch, &["run", "--resume", "nowhere"], &["is not a run directory"]);
    let scenario = scratch.scenario("repetitions = 1", &MATRIX.replace(", \"redis\"", ""));
    let both = ["run", scenario.to_str().unwrap(), "--resume", "out"];
    assert_refused(&scratch, &both, &["cannot be used with"]);

    scratch.run(&scenario, "out", &[]).expect(0);
    let rows = fs::read(scratch.path("out/invocations.jsonl")).unwrap();
    let again = scratch.run(&scenario, "out", &[]).expect(2);
    assert!(!again.stderr.contains("was stopped"), "{}", again.stderr);
    again.says(&["already holds a run", "--resume out"]);
    assert_eq!(fs::read(scratch.path("out/invocations.jsonl")).unwrap(), rows);

    fs::write(scratch.path("file"), "").unwrap();
    scratch.run(&scenario, "file", &[]).expect(2).says(&["file"]);
    scratch.run(&scenario, "file/below", &[]).expect(2).says(&["file/below"]);

    fs::write(scratch.path("out/manifest.json"), "{").unwrap();
    scratch.call(&["run", "--resume", "out"]).expect(2).says(&["manifest.json is damaged"]);
}

#[test]
fn two_processes_do_not_measure_into_one_directory() {
    let scratch = Scratch::new();
    let matrix = MATRIX.replace("\"warm\"", "\"cold:process\"");
    let scenario = scratch.scenario("repetitions = 5000\nblock = 2", &matrix);
    let mut first = scratch.start(&scenario, "out");
    assert!(first.wait_for_rows(1));
    scratch
        .call(&["run", "--resume", "out"])
        .expect(2)
        .says(&["another lumos process is writing to out"]);
}
