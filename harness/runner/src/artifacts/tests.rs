//! A folder of artifacts over several builds.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use lumos_model::artifact::Form;
use lumos_model::capability::Capabilities;
use lumos_scenario::hosts::Host;

use super::build::{Build, Built};
use super::lookup::Artifacts;

/// A checkout in which cargo has built `noop`, with a host whose compiler copies its input and
/// counts its calls.
struct Checkout(tempfile::TempDir);

const RECORD: &str = r#"{"schema":1,"compiler":"rustc 1.2.3\nhost: here","profile":"release",
    "native":{"triple":"here-linux","flags":""},"wasip1":null,
    "wasip2":{"triple":"wasm32-wasip2","flags":"-C x"}}"#;

const HOST: &str = r#"#!/bin/sh
# compile --target T --from F --to G
echo called >> "$0.calls"
cp "$5" "$7" && echo '{"compiler":"toy 1","flags":"O2"}'
"#;

impl Checkout {
    fn new() -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        checkout.write("functions/Cargo.lock", "locked");
        checkout.write("built/build.json", RECORD);
        checkout.write("built/here-linux/release/noop", "native code");
        checkout.write("built/wasm32-wasip2/release/noop.wasm", "component");
        checkout.write("lumos-host-toy", HOST);
        checkout
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn host(&self) -> Host {
        let capabilities = serde_json::json!({
            "protocol": 1, "runtime": "toy", "versions": {}, "targets": [{
                "target": "toy-aot", "form": "toy-aot", "compiled_from": "p2",
                "isolations": [], "starts": [], "storages": [], "settings": {},
            }],
        });
        let capabilities: Capabilities = serde_json::from_value(capabilities).unwrap();
        Host { path: self.path("lumos-host-toy"), result: Ok(capabilities) }
    }

    fn build(&self) -> Built {
        let build = Build {
            built: &self.path("built"),
            lock: &self.path("functions/Cargo.lock"),
            folder: &self.path("artifacts"),
            functions: &["noop", "fuzzy-search"],
            optional: &["conformance"],
            hosts: &[self.host()],
        };
        std::fs::create_dir_all(build.folder).unwrap();
        build.run(&mut |_| {}).unwrap()
    }

    fn artifacts(&self) -> Artifacts {
        Artifacts::open(&self.path("artifacts")).unwrap()
    }

    fn calls(&self) -> usize {
        let calls = std::fs::read_to_string(self.path("lumos-host-toy.calls"));
        calls.unwrap_or_default().lines().count()
    }
}

#[test]
fn a_build_copies_and_compiles_every_form() {
    let checkout = Checkout::new();
    let built = checkout.build();
    assert_eq!((built.artifacts, built.copied, built.compiled), (3, 2, 1));

    let artifacts = checkout.artifacts();
    assert_eq!(artifacts.manifest().compiler, "rustc 1.2.3\nhost: here");
    let native = artifacts.find("noop", &Form::NATIVE.into()).unwrap();
    assert_eq!((native.bytes, native.compiler.as_str()), (11, "rustc 1.2.3"));
    let file = artifacts.verify(native).unwrap();
    assert!(file.is_absolute() && file.metadata().unwrap().permissions().mode() & 0o100 != 0);

    let aot = artifacts.find("noop", &"toy-aot".into()).unwrap();
    let component = artifacts.find("noop", &Form::P2.into()).unwrap();
    assert_eq!(aot.source_sha256.as_ref(), Some(&component.sha256));
    assert_eq!((aot.compiler.as_str(), aot.flags.as_str()), ("toy 1", "O2"));
    assert!(aot.compile_ns.is_some() && artifacts.verify(aot).is_ok());
}

#[test]
fn a_form_that_cannot_be_made_is_missing_with_its_reason() {
    let checkout = Checkout::new();
    let built = checkout.build();
    let missing: Vec<_> = built.missing.iter().map(|(key, why)| format!("{key}: {why}")).collect();
    insta::assert_snapshot!(missing.join("\n"), @r"
    fuzzy-search/native: cargo left no here-linux/release/fuzzy-search; run ./scripts/build.sh
    fuzzy-search/p1: the functions were built without a compiler for it; run ./scripts/setup.sh, which says how to get one, and ./scripts/build.sh
    fuzzy-search/p2: cargo left no wasm32-wasip2/release/fuzzy_search.wasm; run ./scripts/build.sh
    fuzzy-search/toy-aot: its compiler needs p2, which is missing
    noop/p1: the functions were built without a compiler for it; run ./scripts/setup.sh, which says how to get one, and ./scripts/build.sh
    ");
    let error = checkout.artifacts().find("noop", &Form::P1.into()).unwrap_err().to_string();
    assert!(
        error.starts_with("noop has no p1 artifact: the functions were built without"),
        "{error}"
    );
    let error = checkout.artifacts().find("stranger", &Form::P1.into()).unwrap_err().to_string();
    assert!(error.contains("run ./scripts/build.sh"), "{error}");
}

#[test]
fn a_second_build_only_updates_what_changed() {
    let checkout = Checkout::new();
    checkout.build();
    let before = checkout.artifacts().manifest().clone();
    let again = checkout.build();
    assert_eq!((again.copied, again.compiled, checkout.calls()), (0, 0, 1));
    assert_eq!(checkout.artifacts().manifest(), &before);

    checkout.write("built/wasm32-wasip2/release/noop.wasm", "another component");
    let changed = checkout.build();
    assert_eq!((changed.copied, changed.compiled, checkout.calls()), (1, 1, 2));
}

#[test]
fn a_changed_compiler_compiles_again() {
    let checkout = Checkout::new();
    checkout.build();
    checkout.write("lumos-host-toy", &HOST.replace("toy 1", "toy 2"));
    assert_eq!(checkout.build().compiled, 1);
    let artifacts = checkout.artifacts();
    assert_eq!(artifacts.find("noop", &"toy-aot".into()).unwrap().compiler, "toy 2");
}

#[test]
fn an_artifact_that_changed_after_the_build_is_stale() {
    let checkout = Checkout::new();
    checkout.build();
    let artifacts = checkout.artifacts();
    let native = artifacts.find("noop", &Form::NATIVE.into()).unwrap();
    checkout.write("artifacts/noop/noop.native", "native cod3");
    let error = artifacts.verify(native).unwrap_err().to_string();
    assert!(error.contains("SHA-256 differs") && error.contains("build.sh"), "{error}");
    std::fs::remove_file(artifacts.path(native)).unwrap();
    let error = artifacts.verify(native).unwrap_err().to_string();
    assert!(error.contains("cannot be read"), "{error}");

    let aot = artifacts.find("noop", &"toy-aot".into()).unwrap();
    checkout.write("artifacts/noop/noop.toy-aot", "evil");
    assert!(artifacts.verify(aot).unwrap_err().to_string().contains("4 bytes instead of 9"));
    // The next build restores both.
    let built = checkout.build();
    assert_eq!((built.copied, built.compiled), (1, 1));
    assert!(artifacts.verify(aot).is_ok() && artifacts.verify(native).is_ok());
}

#[test]
fn a_missing_or_damaged_manifest_is_an_error() {
    let checkout = Checkout::new();
    let open = || Artifacts::open(&checkout.path("artifacts")).unwrap_err().to_string();
    assert!(open().starts_with("no functions are built"), "{}", open());
    checkout.write("artifacts/artifacts.json", "{\"schema\":99,\"new\":true}");
    assert!(open().contains("has schema 99"), "{}", open());
    checkout.write("artifacts/artifacts.json", "[1");
    assert!(open().contains("is not a manifest"), "{}", open());
}
