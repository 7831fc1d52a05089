//! What the proof of a mode accepts, and what it refuses.

mod common;

use std::path::PathBuf;

use common::{artifact, folder, runtime};
use lumos_host_wasmedge::instance::Instance;
use lumos_host_wasmedge::maps::CodeHome;
use lumos_host_wasmedge::mode::Mode;
use lumos_host_wasmedge::module::Module;
use lumos_host_wasmedge::proof::{self, CodeSeen};
use lumos_runtime::{Engine, HostError, InstanceConfig, Marks, canary};
use wasmedge_sdk::config::{CommonConfigOptions, CompilerConfigOptions, ConfigBuilder};
use wasmedge_sdk::{
    Compiler, CompilerOutputFormat, Module as SdkModule, RunMode, Store, Vm, WasmVal, params,
};

#[test]
fn every_mode_is_proven() {
    for mode in Mode::ALL {
        let proof = runtime().prove_mode(&mode.target(), &artifact(mode), None).unwrap();
        println!("{proof:?}: {:.2}x", proof.slowdown());
        assert_eq!(proof.target, mode.target());
        assert!(proof.setting.contains(&format!("{:?}", mode.run_mode())));
    }
}

fn refusal(mode: Mode, result: Result<impl std::fmt::Debug, HostError>) -> String {
    match result {
        Err(error @ HostError::Mode { .. }) => error.to_string(),
        other => panic!("{mode:?}: {other:?} instead of a refusal"),
    }
}

/// Checks that the canary alone refuses, if setting and mappings look right.
fn canary_refuses(mode: Mode, canary: impl FnMut(u32) -> Result<u32, HostError>) {
    let (setting, code) = ("looks fine".to_owned(), "looks fine".to_owned());
    let proof = canary::prove(&mode.target(), mode.execution(), setting, code, canary);
    let reason = refusal(mode, proof);
    assert!(reason.contains("does not run the mode it was asked for"), "{reason}");
}

/// The guest with its AoT code in a custom section.
fn universal() -> PathBuf {
    let options = CompilerConfigOptions::new().out_format(CompilerOutputFormat::Wasm);
    let config = ConfigBuilder::new(CommonConfigOptions::new().run_mode(RunMode::Aot))
        .with_compiler_config(options)
        .build()
        .unwrap();
    let path = Compiler::new(Some(&config))
        .unwrap()
        .compile_from_file(folder().join("guest.wasm"), "universal", folder())
        .unwrap();
    // The SDK names every output `.so`.
    assert!(std::fs::read(&path).unwrap().starts_with(b"\0asm"));
    path
}

#[test]
fn aot_code_without_the_aot_mode_is_refused() {
    let path = universal();
    // The default run mode accepts the file and interprets it.
    let module = Module::load(Mode::Interp, &path, &mut Marks::default()).unwrap();
    let mut instance =
        Instance::new(&module, &InstanceConfig::default(), &mut Marks::default()).unwrap();
    canary_refuses(Mode::Aot, |rounds| instance.canary(rounds));

    let code = CodeSeen::now(&CodeHome::Library(artifact(Mode::Aot))).unwrap();
    let judged =
        proof::judge(Mode::Aot, RunMode::Interpreter, &code, |rounds| instance.canary(rounds));
    assert!(refusal(Mode::Aot, judged).contains("run mode is Interpreter and must be Aot"));
}

#[test]
fn a_plain_module_is_not_an_aot_artifact() {
    let wasm = artifact(Mode::Interp);
    let error = runtime().prove_mode(&Mode::Aot.target(), &wasm, None).unwrap_err().to_string();
    assert!(error.contains("compile it for wasmedge-aot"), "{error}");
}

#[test]
fn aot_code_of_another_version_is_refused() {
    let other = folder().join("other-version.so");
    let mut library = std::fs::read(artifact(Mode::Aot)).unwrap();
    let version = elf_symbol(&library, "version").expect("the compiler's version symbol");
    library[version] = library[version].wrapping_add(1);
    std::fs::write(&other, library).unwrap();

    // WasmEdge may accept the file, but the mode is not proven.
    let proven = runtime().prove_mode(&Mode::Aot.target(), &other, None);
    println!("{proven:?}");
    assert!(proven.is_err());
}

#[test]
fn a_jit_that_is_used_through_the_sdk_is_refused() {
    let config =
        ConfigBuilder::new(CommonConfigOptions::new().run_mode(RunMode::Jit)).build().unwrap();
    let before = CodeSeen::now(&CodeHome::Anonymous).unwrap();
    let wat = include_str!("common/guest.wat");
    let canary_only = without_imports(wat);
    let module = SdkModule::from_bytes(Some(&config), canary_only).unwrap();
    let store = Store::new(
        Some(&config),
        std::collections::HashMap::<String, &mut wasmedge_sdk::Instance>::new(),
    )
    .unwrap();
    let mut vm = Vm::new(store);
    vm.register_module(None, module).unwrap();
    let mut canary = |rounds: u32| {
        let values = vm.run_func(None, "canary", params!(rounds as i32)).unwrap();
        Ok(values[0].to_i32() as u32)
    };
    canary_refuses(Mode::Jit, &mut canary);

    // It has no compiled code either.
    let code = CodeSeen::now(&CodeHome::Anonymous).unwrap().beyond(&before);
    let judged = proof::judge(Mode::Jit, config.run_mode(), &code, &mut canary);
    assert!(refusal(Mode::Jit, judged).contains("no compiled code is mapped"));
}

/// The guest's canary in a module that needs no WASI.
fn without_imports(wat: &str) -> Vec<u8> {
    let start = wat.find("(func (export \"canary\")").unwrap();
    let end = wat[start..].find(";; The buffer").unwrap() + start;
    wat::parse_str(format!("(module {})", &wat[start..end])).unwrap()
}

#[test]
fn code_in_memory_contradicts_an_interpreter() {
    let module = common::module(Mode::Aot);
    let code = CodeSeen::now(module.code()).unwrap();
    assert!(code.bytes() > 0);
    let judged = proof::judge(Mode::Interp, RunMode::Interpreter, &code, |_| unreachable!());
    assert!(refusal(Mode::Interp, judged).contains("an interpreter needs none"));
}

/// The offset of a symbol's value in a 64-bit ELF file (elf(5)).
fn elf_symbol(elf: &[u8], name: &str) -> Option<usize> {
    let int = |at: usize, bytes: usize| {
        let mut le = [0; 8];
        le[..bytes].copy_from_slice(&elf[at..at + bytes]);
        u64::from_le_bytes(le) as usize
    };
    let (sections, size, count) = (int(0x28, 8), int(0x3a, 2), int(0x3c, 2));
    let section = |index: usize| sections + index * size;
    let (kind, address, offset, bytes, link) = (
        |s| int(s + 4, 4),
        |s| int(s + 0x10, 8),
        |s| int(s + 0x18, 8),
        |s| int(s + 0x20, 8),
        |s| int(s + 0x28, 4),
    );
    const DYNAMIC_SYMBOLS: usize = 11;
    let symbols = (0..count).map(section).find(|s| kind(*s) == DYNAMIC_SYMBOLS)?;
    let names = offset(section(link(symbols)));
    let symbol =
        (offset(symbols)..offset(symbols) + bytes(symbols)).step_by(24).find(|symbol| {
            let name_at = names + int(*symbol, 4);
            elf[name_at..].starts_with(name.as_bytes()) && elf[name_at + name.len()] == 0
        })?;
    let value = int(symbol + 8, 8);
    let home = (0..count)
        .map(section)
        .find(|s| (address(*s)..address(*s) + bytes(*s)).contains(&value) && kind(*s) != 0)?;
    Some(value - address(home) + offset(home))
}
