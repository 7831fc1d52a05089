//! Which artifacts are accepted, and in which mode they run.

use lumos_model::phase::Phase;
use lumos_runtime::{Engine, HostError, InstanceConfig, Marks};

use crate::common::{Fixture, MODES, target};

/// The message that refuses `name` with `content` in `mode`.
fn refusal(fixture: &Fixture, mode: &str, name: &str, content: &[u8]) -> String {
    let path = fixture.file(name, content);
    match fixture.runtime.load(&target(mode), &path, &mut Marks::default()) {
        Ok(_) => panic!("{mode} accepted {name}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_missing_folder_is_refused() {
    let fixture = Fixture::new();
    let mut marks = Marks::default();
    let module = fixture.runtime.load(&target("aot"), &fixture.code, &mut marks).unwrap();
    let folder = Some(fixture.code.with_file_name("absent"));
    let config = InstanceConfig { folder, ..InstanceConfig::default() };
    let made = fixture.runtime.instantiate(&module, &config, &mut marks);
    let error = made.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("open the folder") && error.contains("absent"), "{error}");
}

#[test]
fn each_mode_is_proven() {
    let fixture = Fixture::new();
    let proofs = MODES.map(|mode| {
        fixture.runtime.prove_mode(&target(mode), fixture.artifact(mode), None).expect("proven")
    });
    let [interp, jit, aot] = &proofs;
    assert!(interp.code.contains("Pulley"), "{}", interp.code);
    assert!(jit.code.contains("made in memory"), "{}", jit.code);
    assert!(aot.code.contains("from guest.wasmtime-aot"), "{}", aot.code);
    for proof in &proofs {
        println!("{}: {:.1}x, {}, {}", proof.target, proof.slowdown(), proof.setting, proof.code);
    }
}

#[test]
fn a_component_without_canary_runs_but_is_not_proven() {
    let fixture = Fixture::new();
    let component = r#"(component
        (core module $m
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 16)
            (func (export "invoke") (param i32 i32) (result i32) i32.const 0))
        (core instance $i (instantiate $m))
        (alias core export $i "memory" (core memory $memory))
        (alias core export $i "realloc" (core func $realloc))
        (func (export "invoke")
            (param "payload" (list u8)) (result (result (list u8) (error string)))
            (canon lift (core func $i "invoke") (memory $memory) (realloc $realloc))))"#;
    let path = fixture.file("no-canary.wasm", &wat::parse_str(component).unwrap());
    let module = fixture.runtime.load(&target("jit"), &path, &mut Marks::default()).unwrap();
    let config = InstanceConfig::default();
    assert!(fixture.runtime.instantiate(&module, &config, &mut Marks::default()).is_ok());
    let error = fixture.runtime.prove_mode(&target("jit"), &path, None).unwrap_err();
    assert!(error.to_string().contains("exports no `canary`"), "{error}");
}

#[test]
fn loading_and_instantiating_have_their_phases() {
    let fixture = Fixture::new();
    for mode in MODES {
        let mut marks = Marks::default();
        let module =
            fixture.runtime.load(&target(mode), fixture.artifact(mode), &mut marks).unwrap();
        fixture.runtime.instantiate(&module, &InstanceConfig::default(), &mut marks).unwrap();
        for phase in [Phase::Load, Phase::Compile, Phase::Instantiate] {
            assert!(marks.phases().get(phase) > 0, "{mode}: no {phase}");
        }
    }
}

#[test]
fn a_file_that_is_not_a_component_is_refused() {
    let fixture = Fixture::new();
    let component = std::fs::read(&fixture.component).unwrap();
    let code = std::fs::read(&fixture.code).unwrap();
    let core = wat::parse_str("(module)").unwrap();
    for (name, content, reason) in [
        ("text.wasm", &b"hello"[..], "no WebAssembly component"),
        ("empty.wasm", b"", "no WebAssembly component"),
        ("core.wasm", &core, "wasm32-wasip2"),
        ("code.wasm", &code, "a component (.wasm) is needed"),
        ("short.wasm", &component[..component.len() / 2], "no valid component"),
    ] {
        let message = refusal(&fixture, "jit", name, content);
        for part in [name, reason, "scripts/build.sh"] {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
    }
}

#[test]
fn a_file_that_is_not_ahead_of_time_code_is_refused() {
    let fixture = Fixture::new();
    let component = std::fs::read(&fixture.component).unwrap();
    let code = std::fs::read(&fixture.code).unwrap();
    // The code of an engine with other settings.
    let engine = wasmtime::Engine::new(&wasmtime::Config::new()).unwrap();
    let foreign = engine.precompile_component(&component).unwrap();
    for (name, content, reason) in [
        ("component.cwasm", &component[..], "no ahead-of-time code"),
        ("empty.cwasm", b"", "no ahead-of-time code"),
        ("short.cwasm", &code[..code.len() / 2], ""),
        ("foreign.cwasm", &foreign, "this engine cannot run"),
    ] {
        let message = refusal(&fixture, "aot", name, content);
        for part in [name, reason, "scripts/build.sh"] {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
    }
}

#[test]
fn a_missing_file_and_a_missing_export_are_reported() {
    let fixture = Fixture::new();
    for mode in MODES {
        let missing = fixture.component.with_file_name("missing");
        let loaded = fixture.runtime.load(&target(mode), &missing, &mut Marks::default());
        let message = loaded.err().expect("refused").to_string();
        assert!(message.contains("missing") && message.contains("No such file"), "{message}");
    }
    let empty = wat::parse_str("(component)").unwrap();
    let message = refusal(&fixture, "jit", "empty.wasm", &empty);
    assert!(message.contains("exports no `invoke`"), "{message}");
}

#[test]
fn an_import_that_is_not_offered_is_reported() {
    let fixture = Fixture::new();
    let source = format!(
        "(component (import \"an:unknown/interface\" (func)) {}",
        include_str!("guest.wat").split_once("(component").unwrap().1
    );
    let message = refusal(&fixture, "jit", "strange.wasm", &wat::parse_str(source).unwrap());
    assert!(message.contains("an:unknown/interface"), "{message}");
}

#[test]
fn too_little_memory_for_an_instance_is_reported() {
    let fixture = Fixture::new();
    let mut marks = Marks::default();
    let module = fixture.runtime.load(&target("jit"), &fixture.component, &mut marks).unwrap();
    let config = InstanceConfig { memory_bytes: Some(1000), ..InstanceConfig::default() };
    let refused = fixture.runtime.instantiate(&module, &config, &mut marks);
    let message = refused.err().expect("refused").to_string();
    assert!(message.contains("the limit is 1000 bytes"), "{message}");
}

#[test]
fn only_ahead_of_time_targets_compile() {
    let fixture = Fixture::new();
    let to = fixture.component.with_file_name("to");
    for mode in ["interp", "jit", "nonsense"] {
        let compiled = fixture.runtime.compile(&target(mode), &fixture.component, &to);
        assert!(matches!(compiled, Err(HostError::Unsupported(_))), "{mode}");
    }
    let compiled = fixture.runtime.compile(&target("aot"), &fixture.component, &to).unwrap();
    assert!(compiled.compiler.starts_with("wasmtime 48."), "{}", compiled.compiler);
}
