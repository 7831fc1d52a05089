//! Invalid arguments end `lumos serve` before it starts, with exit code 2 and a reason.

use std::net::TcpListener;

use lumos_testkit::scratch::Scratch;

#[track_caller]
fn refused(args: &[&str], words: &[&str]) {
    let output = Scratch::new().lumos(&[&["serve"], args].concat()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
    assert!(output.stdout.is_empty(), "{args:?}");
    for word in words {
        assert!(error.contains(word), "no `{word}` in: {error}");
    }
}

const TARGET: [&str; 2] = ["--target", "native"];

#[track_caller]
fn refused_natively(args: &[&str], words: &[&str]) {
    refused(&[args, &TARGET].concat(), words);
}

#[test]
fn invalid_options_are_refused_with_a_reason() {
    refused_natively(&["nop"], &["there is no function `nop`", "did you mean `noop`?"]);
    refused_natively(&["noop", "noop"], &["noop is named twice"]);
    refused_natively(&[], &["<FUNCTION>"]);
    refused(&["noop", "--target", "wasmtime-turbo"], &["wasmtime-turbo"]);
    refused(&["noop", "--target", "native", "--isolation", "thread"], &["no thread isolation"]);
    refused_natively(&["noop", "--scaling", "soon"], &["`immediate` or `window=60s`"]);
    refused_natively(&["noop", "--min-instances", "3", "--max-instances", "2"], &["exceed"]);
    refused_natively(&["noop", "--max-instances", "0"], &["--max-instances"]);
    refused_natively(&["noop", "--timeout", "0s"], &["no time to answer"]);
    refused_natively(&["noop", "--storage", "host"], &["no host to call"]);
    let threads = ["noop", "--target", "wasmtime-aot", "--isolation", "thread", "--cpus", "0.5"];
    refused(&threads, &["process isolation"]);
}

#[test]
fn remote_addresses_need_allow_remote() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        refused_natively(&["noop", "--listen", address], &["--allow-remote", address]);
    }
    refused_natively(&["noop", "--listen", "here"], &["--listen"]);
}

#[test]
fn address_in_use_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused_natively(&["noop", "--listen", &address], &[&address, "in use"]);
}

#[test]
fn missing_artifacts_are_refused() {
    let empty = tempfile::tempdir().unwrap();
    let folder = empty.path().to_str().unwrap();
    refused_natively(&["noop", "--artifacts", folder], &[folder, "scripts/build.sh"]);
}
