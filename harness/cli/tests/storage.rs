//! The four storages, with the real hosts and artifacts, which scripts/build.sh makes: functions
//! give the same answers from the same data, wherever it is stored.

use std::collections::BTreeMap;
use std::process::Command;

use lumos_model::phase::Phase;
use lumos_model::row::{Outcome, Sample};
use lumos_testkit::scratch::{Ended, lumos};

fn call(args: &[&str]) -> Ended {
    Ended::of(Command::new(lumos()).args(args))
}

/// The targets with AoT code whose hosts are built, and the storages that each of them offers.
fn targets() -> BTreeMap<String, Vec<String>> {
    let listed = call(&["list", "targets", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let words = |words: &serde_json::Value| {
        let words = words.as_array().into_iter().flatten();
        words.map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let targets: BTreeMap<_, _> = listed["targets"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|target| target["unavailable"].is_null())
        .map(|target| (target["target"].as_str().unwrap().to_owned(), words(&target["storages"])))
        .filter(|(target, _)| ["native", "wasmtime-aot", "wasmedge-aot"].contains(&&**target))
        .collect();
    for needed in ["native", "wasmtime-aot"] {
        assert!(targets.contains_key(needed), "no host of {needed}: run scripts/build.sh");
    }
    targets
}

#[track_caller]
fn invoke(function: &str, target: &str, storage: &str, isolation: &str) -> Sample {
    let args = ["invoke", function, "--target", target, "--storage", storage];
    let args = [&args[..], &["--isolation", isolation, "--format", "json"]].concat();
    let sample: Sample = serde_json::from_str(&call(&args).expect(0).stdout).unwrap();
    assert_eq!(sample.outcome, Outcome::Ok, "{args:?}: {:?}", sample.error);
    sample
}

/// The I/O phases of `sample`.
fn io(sample: &Sample) -> Vec<Phase> {
    let all = [Phase::IoConnect, Phase::IoRead, Phase::IoWrite, Phase::IoProtocol];
    all.into_iter().filter(|phase| sample.phases_ns.get(*phase) > 0).collect()
}

const SOCKET: [Phase; 4] = [Phase::IoConnect, Phase::IoRead, Phase::IoWrite, Phase::IoProtocol];

/// The function reads a text, and its short answer depends only on that text.
#[test]
fn a_text_is_the_same_from_every_storage_on_every_target() {
    let mut answers = BTreeMap::new();
    for (target, storages) in targets() {
        let isolations: &[&str] =
            if target == "native" { &["process"] } else { &["process", "thread"] };
        for (storage, isolation) in
            storages.iter().flat_map(|storage| isolations.iter().map(move |i| (storage, i)))
        {
            let sample = invoke("fuzzy-search", &target, storage, isolation);
            let expected: &[Phase] = match storage.as_str() {
                "inline" => &[],
                "local" | "host" => &[Phase::IoRead],
                "redis" => &SOCKET,
                other => panic!("{target} offers {other}, which this test does not know"),
            };
            assert_eq!(io(&sample), expected, "{target} {storage} {isolation}");
            answers.insert(
                format!("{target} {storage} {isolation}"),
                sample.output_sha256.expect("the outcome is ok"),
            );
        }
    }
    let mut distinct: Vec<_> = answers.values().collect();
    distinct.dedup();
    assert_eq!(distinct.len(), 1, "{answers:#?}");
}

/// The functions read a document and write it again.
#[test]
fn a_document_is_written_to_the_storage_that_it_came_from() {
    for function in ["records", "records-messagepack"] {
        let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (target, storages) in targets() {
            for storage in storages {
                let sample = invoke(function, &target, &storage, "process");
                let expected: &[Phase] = match storage.as_str() {
                    "inline" => &[],
                    "redis" => &SOCKET,
                    _ => &[Phase::IoRead, Phase::IoWrite],
                };
                assert_eq!(io(&sample), expected, "{function} {target} {storage}");
                for phase in [Phase::Deserialize, Phase::Compute, Phase::Serialize] {
                    assert!(sample.phases_ns.get(phase) > 0, "{phase} of {function} {target}");
                }
                let output = sample.output.expect("`lumos invoke` returns the output");
                if storage != "inline" {
                    assert!(output.contains(&format!("\"{storage}\":\"records-")), "{output}");
                    assert!(output.contains("\"bytes\":16384"), "{output}");
                }
                answers.entry(storage).or_default().push(output);
            }
        }
        for (storage, mut answers) in answers {
            answers.dedup();
            assert_eq!(answers.len(), 1, "{function} {storage}");
        }
    }
}

#[test]
fn native_functions_have_no_host_to_call() {
    let args = ["invoke", "fuzzy-search", "--target", "native", "--storage", "host"];
    call(&args).expect(2).says(&["a function of native has no host to call"]);
}

#[test]
fn the_files_of_a_session_are_removed_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(lumos());
    command.args(["invoke", "records", "--target", "native", "--storage", "local"]);
    Ended::of(command.env("TMPDIR", dir.path())).expect(0);
    assert_eq!(dir.path().read_dir().unwrap().count(), 0);
}
