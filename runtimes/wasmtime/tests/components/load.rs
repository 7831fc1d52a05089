//! What is taken for an artifact, what is not, and which mode it then runs in.

use lumos_model::phase::Phase;
use lumos_runtime::{HostError, InstanceConfig, Marks, Runtime};

use crate::common::{Bench, MODES, target};

/// The message that refuses `name` with `content` in `mode`.
fn refusal(bench: &Bench, mode: &str, name: &str, content: &[u8]) -> String {
    let path = bench.file(name, content);
    match bench.runtime.load(&target(mode), &path, &mut Marks::default()) {
        Ok(_) => panic!("{mode} took {name}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_folder_that_is_not_there_is_refused() {
    let bench = Bench::new();
    let mut marks = Marks::default();
    let module = bench.runtime.load(&target("aot"), &bench.code, &mut marks).unwrap();
    let folder = Some(bench.code.with_file_name("absent"));
    let config = InstanceConfig { folder, ..InstanceConfig::default() };
    let made = bench.runtime.instantiate(&module, &config, &mut marks);
    let error = made.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("open the folder") && error.contains("absent"), "{error}");
}

#[test]
fn each_mode_is_proven() {
    let bench = Bench::new();
    let proofs = MODES.map(|mode| {
        bench.runtime.prove_mode(&target(mode), bench.artifact(mode), None).expect("proven")
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
fn a_stranger_without_canary_runs_but_proves_nothing() {
    let bench = Bench::new();
    let stranger = r#"(component
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
    let path = bench.file("stranger.wasm", &wat::parse_str(stranger).unwrap());
    let module = bench.runtime.load(&target("jit"), &path, &mut Marks::default()).unwrap();
    let config = InstanceConfig::default();
    assert!(bench.runtime.instantiate(&module, &config, &mut Marks::default()).is_ok());
    let error = bench.runtime.prove_mode(&target("jit"), &path, None).unwrap_err();
    assert!(error.to_string().contains("exports no `canary`"), "{error}");
}

#[test]
fn phases_say_what_was_done() {
    let bench = Bench::new();
    for mode in MODES {
        let mut marks = Marks::default();
        let module = bench.runtime.load(&target(mode), bench.artifact(mode), &mut marks).unwrap();
        bench.runtime.instantiate(&module, &InstanceConfig::default(), &mut marks).unwrap();
        for phase in [Phase::Load, Phase::Compile, Phase::Instantiate] {
            assert!(marks.phases().get(phase) > 0, "{mode}: no {phase}");
        }
    }
}

#[test]
fn what_is_no_component_is_refused_with_its_name() {
    let bench = Bench::new();
    let component = std::fs::read(&bench.component).unwrap();
    let code = std::fs::read(&bench.code).unwrap();
    let core = wat::parse_str("(module)").unwrap();
    for (name, content, reason) in [
        ("text.wasm", &b"hello"[..], "no WebAssembly component"),
        ("empty.wasm", b"", "no WebAssembly component"),
        ("core.wasm", &core, "wasm32-wasip2"),
        ("code.wasm", &code, "where a component (.wasm) is wanted"),
        ("short.wasm", &component[..component.len() / 2], "no valid component"),
    ] {
        let message = refusal(&bench, "jit", name, content);
        for part in [name, reason, "scripts/build.sh"] {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
    }
}

#[test]
fn what_is_no_ahead_of_time_code_is_refused_with_its_name() {
    let bench = Bench::new();
    let component = std::fs::read(&bench.component).unwrap();
    let code = std::fs::read(&bench.code).unwrap();
    // Of an engine with other settings.
    let engine = wasmtime::Engine::new(&wasmtime::Config::new()).unwrap();
    let foreign = engine.precompile_component(&component).unwrap();
    for (name, content, reason) in [
        ("component.cwasm", &component[..], "no ahead-of-time code"),
        ("empty.cwasm", b"", "no ahead-of-time code"),
        ("short.cwasm", &code[..code.len() / 2], ""),
        ("foreign.cwasm", &foreign, "this engine cannot run"),
    ] {
        let message = refusal(&bench, "aot", name, content);
        for part in [name, reason, "scripts/build.sh"] {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
    }
}

#[test]
fn a_missing_file_and_a_missing_export_are_told() {
    let bench = Bench::new();
    for mode in MODES {
        let missing = bench.component.with_file_name("missing");
        let loaded = bench.runtime.load(&target(mode), &missing, &mut Marks::default());
        let message = loaded.err().expect("refused").to_string();
        assert!(message.contains("missing") && message.contains("No such file"), "{message}");
    }
    let empty = wat::parse_str("(component)").unwrap();
    let message = refusal(&bench, "jit", "empty.wasm", &empty);
    assert!(message.contains("exports no `invoke`"), "{message}");
}

#[test]
fn an_import_beyond_wasi_is_told() {
    let bench = Bench::new();
    let source = format!(
        "(component (import \"a:stranger/thing\" (func)) {}",
        include_str!("guest.wat").split_once("(component").unwrap().1
    );
    let message = refusal(&bench, "jit", "strange.wasm", &wat::parse_str(source).unwrap());
    assert!(message.contains("a:stranger/thing"), "{message}");
}

#[test]
fn too_little_memory_for_an_instance_is_told() {
    let bench = Bench::new();
    let mut marks = Marks::default();
    let module = bench.runtime.load(&target("jit"), &bench.component, &mut marks).unwrap();
    let config = InstanceConfig { memory_bytes: Some(1000), ..InstanceConfig::default() };
    let refused = bench.runtime.instantiate(&module, &config, &mut marks);
    let message = refused.err().expect("refused").to_string();
    assert!(message.contains("the limit is 1000 bytes"), "{message}");
}

#[test]
fn only_ahead_of_time_targets_compile() {
    let bench = Bench::new();
    let to = bench.component.with_file_name("to");
    for mode in ["interp", "jit", "nonsense"] {
        let compiled = bench.runtime.compile(&target(mode), &bench.component, &to);
        assert!(matches!(compiled, Err(HostError::Unsupported(_))), "{mode}");
    }
    let compiled = bench.runtime.compile(&target("aot"), &bench.component, &to).unwrap();
    assert!(compiled.compiler.starts_with("wasmtime 48."), "{}", compiled.compiler);
}
