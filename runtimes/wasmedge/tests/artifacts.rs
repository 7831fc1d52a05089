//! Wrong and damaged artifacts.

mod common;

use common::{folder, runtime, write_wat};
use lumos_host_wasmedge::mode::Mode;
use lumos_runtime::{Engine, InstanceConfig, Marks};

/// Loads and instantiates `bytes` as the file `name`. Returns the error, which must name it.
fn error(mode: Mode, name: &str, bytes: &[u8]) -> String {
    let path = folder().join(name);
    std::fs::write(&path, bytes).unwrap();
    let (runtime, mut marks) = (runtime(), Marks::default());
    let made = runtime.load(&mode.target(), &path, &mut marks).and_then(|module| {
        runtime.instantiate(&module, &InstanceConfig::default(), &mut marks).map(drop)
    });
    let error = made.expect_err("a bad file was accepted").to_string();
    assert!(error.starts_with(path.to_str().unwrap()), "{error}");
    error
}

#[track_caller]
fn assert_contains(error: &str, expected: &str) {
    assert!(error.contains(expected), "`{expected}` is missing in: {error}");
}

#[test]
fn a_file_that_is_not_an_artifact_is_refused() {
    for mode in [Mode::Interp, Mode::Jit] {
        assert_contains(&error(mode, "text.wasm", b"hello, world"), "not a WebAssembly module");
        assert_contains(&error(mode, "empty.wasm", b""), "not a WebAssembly module");
        assert_contains(&error(mode, "head.wasm", b"\0asm\x01"), "not a WebAssembly module");
        let component = b"\0asm\x0d\0\x01\0";
        assert_contains(&error(mode, "component.wasm", component), "wasm32-wasip1");
        let library = std::fs::read(common::artifact(Mode::Aot)).unwrap();
        assert_contains(&error(mode, "library.wasm", &library), "give it the .wasm file");
    }
    let wasm = std::fs::read(common::artifact(Mode::Interp)).unwrap();
    assert_contains(&error(Mode::Aot, "wasm.so", &wasm), "compile it for wasmedge-aot");
    assert_contains(&error(Mode::Aot, "text.so", b"hello"), "not a shared library");
}

#[test]
fn a_truncated_file_is_refused() {
    for mode in Mode::ALL {
        let whole = std::fs::read(common::artifact(mode)).unwrap();
        for part in [2, 3, 10] {
            let cut = format!("cut-{part}-{}", mode.target());
            error(mode, &cut, &whole[..whole.len() / part]);
        }
    }
}

#[test]
fn a_foreign_library_is_refused() {
    // A shared object that WasmEdge's compiler did not write: this test.
    let other = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    error(Mode::Aot, "other.so", &other);
}

#[test]
fn a_missing_file_is_an_error() {
    let path = folder().join("nowhere.wasm");
    for mode in Mode::ALL {
        let loaded = runtime().load(&mode.target(), &path, &mut Marks::default());
        assert_contains(&loaded.err().unwrap().to_string(), "nowhere.wasm");
    }
}

#[test]
fn missing_exports_and_imports_are_named() {
    let path = folder().join("parts.wasm");
    let check = |wat: &str, expected: &str| {
        write_wat(&path, wat);
        let bytes = std::fs::read(&path).unwrap();
        assert_contains(&error(Mode::Interp, "parts.wasm", &bytes), expected);
    };
    check("(module)", "does not export `memory`, `alloc`, `invoke`");
    check(
        r#"(module (memory (export "memory") 1) (func (export "_start")))"#,
        "it is a command, with `_start`",
    );
    let imports = r#"(module (import "redis" "get" (func))
        (memory (export "memory") 1)
        (func (export "alloc") (param i32) (result i32) (i32.const 0))
        (func (export "invoke") (param i32 i32) (result i64) (i64.const 0)))"#;
    check(imports, "redis");
    let memory = r#"(module (global (export "alloc") i32 (i32.const 0))
        (memory (export "memory") 1)
        (func (export "invoke") (param i32 i32) (result i64) (i64.const 0)))"#;
    check(memory, "its `alloc` is not a function");
}

#[test]
fn an_answer_outside_of_the_memory_is_an_error() {
    let path = folder().join("liar.wasm");
    write_wat(
        &path,
        r#"(module (memory (export "memory") 1)
            (func (export "alloc") (param i32) (result i32) (i32.const 0))
            (func (export "invoke") (param i32 i32) (result i64) (i64.const -1)))"#,
    );
    let module = runtime().load(&Mode::Interp.target(), &path, &mut Marks::default()).unwrap();
    let answer = common::ask(&mut common::instance(&module), b"x", common::AMPLE);
    assert_contains(&answer.unwrap_err().to_string(), "outside of its memory");
}

#[test]
fn a_failed_compilation_names_its_input_and_leaves_no_output() {
    let (from, to) = (folder().join("broken.wasm"), folder().join("broken.so"));
    std::fs::write(&from, b"\0asm\x01\0\0\0\x99").unwrap();
    let error = runtime().compile(&Mode::Aot.target(), &from, &to).unwrap_err().to_string();
    assert_contains(&error, "broken.wasm");
    assert!(!to.exists(), "a partial artifact was left");
    for mode in [Mode::Interp, Mode::Jit] {
        let error = runtime().compile(&mode.target(), &from, &to).unwrap_err().to_string();
        assert_contains(&error, "compiles nothing ahead of time");
    }
}
