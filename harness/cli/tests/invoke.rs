//! `lumos invoke` with the real hosts and artifacts, which scripts/build.sh makes.

use std::process::Command;

use lumos_model::row::{Outcome, Sample};
use lumos_testkit::scratch::{Ended, lumos};

fn invoke(args: &[&str]) -> Ended {
    Ended::of(Command::new(lumos()).arg("invoke").args(args))
}

/// Standard output of a call that ends with `code`.
#[track_caller]
fn stdout(args: &[&str], code: i32) -> String {
    invoke(args).expect(code).stdout
}

/// The sample that a call with `--format json` prints.
#[track_caller]
fn sample(args: &[&str], code: i32) -> Sample {
    serde_json::from_str(&stdout(&[args, &["--format", "json"]].concat(), code)).unwrap()
}

/// Standard error of a call that is refused.
#[track_caller]
fn refusal(args: &[&str]) -> String {
    let ended = invoke(args).expect(2);
    assert!(ended.stdout.is_empty(), "{args:?}: {}", ended.stdout);
    ended.stderr
}

const NATIVE: [(&str, &str); 3] =
    [("process", "warm"), ("process", "cold:process"), ("process", "cold:image")];
const WASMTIME: [(&str, &str); 8] = [
    ("process", "warm"),
    ("process", "cold:instance"),
    ("process", "cold:module"),
    ("process", "cold:process"),
    ("process", "cold:image"),
    ("thread", "warm"),
    ("thread", "cold:instance"),
    ("thread", "cold:module"),
];

/// Whether `lumos list targets` says that a target can do this.
fn offers(target: &str, isolation: &str, start: &str, storage: &str) -> bool {
    let list = Ended::of(Command::new(lumos()).args(["list", "targets", "--format", "json"]));
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    let targets = list["targets"].as_array().unwrap();
    let known = targets.iter().find(|known| known["target"] == target).unwrap_or_else(|| {
        panic!("no host of {target}: run scripts/build.sh");
    });
    let has = |list: &str, word: &str| {
        known[list].as_array().is_some_and(|words| words.iter().any(|known| known == word))
    };
    has("isolations", isolation) && has("starts", start) && has("storages", storage)
}

#[test]
fn every_start_and_storage_shows_its_phases() {
    let mut shown = 0;
    for (target, ways) in [("native", &NATIVE[..]), ("wasmtime-aot", &WASMTIME[..])] {
        for (isolation, start) in ways {
            for storage in ["inline", "redis"] {
                if !offers(target, isolation, start, storage) {
                    continue;
                }
                let args = ["language-detection", "--target", target, "--isolation", isolation];
                let args = [&args[..], &["--start", start, "--storage", storage]].concat();
                let text = stdout(&args, 0);
                for word in ["phase", "compute", "total", "outcome  ok", "output"] {
                    assert!(text.contains(word), "no `{word}` for {args:?}:\n{text}");
                }
                assert_eq!(text.contains("io_read"), storage == "redis", "{args:?}:\n{text}");
                shown += 1;
            }
        }
    }
    assert!(shown >= 16, "only {shown} combinations are offered");
}

#[test]
fn json_has_the_sample() {
    let sample = sample(&["noop", "--target", "wasmtime-aot", "--isolation", "thread"], 0);
    assert_eq!(sample.outcome, Outcome::Ok);
    assert!(sample.output.is_some());
    assert_eq!(sample.phases_ns.iter().map(|(_, ns)| ns).sum::<u64>(), sample.total_ns);
}

#[test]
fn a_failure_of_the_function_is_the_outcome() {
    let ways = [("native", "process"), ("wasmtime-aot", "process"), ("wasmtime-aot", "thread")];
    let wrongs = [
        (r#"{"op":"trap"}"#, Outcome::Trap),
        (r#"{"op":"fail","message":"no"}"#, Outcome::Error),
        (r#"{"op":"spin"}"#, Outcome::Timeout),
        (r#"{"op":"exit","code":3}"#, Outcome::Trap),
        ("[]", Outcome::Error),
    ];
    for (target, isolation) in ways {
        for (payload, outcome) in wrongs {
            let args = ["conformance", "--target", target, "--isolation", isolation];
            let more = ["--payload", payload, "--timeout", "500ms"];
            let sample = sample(&[&args[..], &more].concat(), 1);
            assert_eq!(sample.outcome, outcome, "{target} {isolation} {payload}: {sample:?}");
            assert!(sample.error.is_some());
        }
    }
    let text = stdout(&["conformance", "--target", "native", "--payload", r#"{"op":"trap"}"#], 1);
    assert!(text.contains("outcome  trap") && text.contains("SIG"), "{text}");
}

#[test]
fn a_host_that_dies_at_its_memory_limit_is_an_outcome() {
    let args = ["noop", "--target", "wasmtime-aot", "--isolation", "thread", "--memory", "1MiB"];
    assert_eq!(sample(&args, 1).outcome, Outcome::OutOfMemory);
}

#[test]
fn bad_arguments_are_refused() {
    let error = refusal(&["nop", "--target", "native"]);
    assert!(error.contains("did you mean `noop`?"), "{error}");
    let error = refusal(&["nope", "--target", "native", "--payload", "{}"]);
    assert!(error.contains("there is no function `nope`"), "{error}");
    assert!(refusal(&["conformance", "--target", "native"]).contains("give --payload"));
    assert!(refusal(&["noop", "--target", "wasmtime-turbo"]).contains("lumos list targets"));
    assert!(refusal(&["noop", "--target", "nowhere-aot"]).contains("lumos-host-nowhere"));
    let error = refusal(&["noop", "--target", "native", "--payload", "{\"a\":"]);
    assert!(error.contains("not JSON") && error.contains("EOF"), "{error}");
    let error = refusal(&["noop", "--target", "native", "--isolation", "thread"]);
    assert!(error.contains("thread"), "{error}");
    refusal(&["noop", "--target", "native", "--size", "huge"]);
    refusal(&["noop", "--target", "native", "--memory", "lots"]);
    refusal(&["noop", "--target", "native", "--timeout", "soon"]);
    refusal(&["noop"]);
}
