//! Guests for the tests: `guest.wat`, as a module and compiled ahead of time.
#![allow(dead_code, reason = "each test file uses some of the helpers")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use lumos_host_wasmedge::WasmEdgeRuntime;
use lumos_host_wasmedge::instance::Instance;
use lumos_host_wasmedge::mode::Mode;
use lumos_host_wasmedge::module::Module;
use lumos_runtime::{Engine, Instance as _, InstanceConfig, InvokeError, Marks};
use tempfile::TempDir;

/// Longer than any invocation that ends by itself takes.
pub const AMPLE: Duration = Duration::from_secs(60);

/// The folder of the guest, with `guest.wasm` and `guest.so`.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let folder = TempDir::new().expect("a temporary folder");
            let wasm = folder.path().join("guest.wasm");
            write_wat(&wasm, include_str!("guest.wat"));
            let aot = folder.path().join("guest.so");
            runtime().compile(&Mode::Aot.target(), &wasm, &aot).expect("the guest compiles");
            folder
        })
        .path()
}

/// Assembles `wat` into the file `to`.
pub fn write_wat(to: &Path, wat: &str) {
    std::fs::write(to, wat::parse_str(wat).expect("valid WAT")).expect("a writable folder");
}

pub fn runtime() -> WasmEdgeRuntime {
    WasmEdgeRuntime::new()
}

/// The guest in the form that `mode` runs.
pub fn artifact(mode: Mode) -> PathBuf {
    folder().join(match mode {
        Mode::Interp | Mode::Jit => "guest.wasm",
        Mode::Aot => "guest.so",
    })
}

pub fn module(mode: Mode) -> Module {
    runtime().load(&mode.target(), &artifact(mode), &mut Marks::default()).expect("it loads")
}

pub fn instance(module: &Module) -> Instance {
    instance_with(module, &InstanceConfig::default())
}

pub fn instance_with(module: &Module, config: &InstanceConfig) -> Instance {
    runtime().instantiate(module, config, &mut Marks::default()).expect("it instantiates")
}

/// Serves a request. Returns the body of the answer.
pub fn ask(
    instance: &mut Instance,
    request: &[u8],
    timeout: Duration,
) -> Result<Vec<u8>, InvokeError> {
    let mut answer = b"of another time".to_vec();
    instance.invoke(request, timeout, &mut answer, &mut Marks::default())?;
    let envelope = lumos_model::wire::envelope::open(&answer).expect("an envelope");
    Ok(envelope.body.to_vec())
}

/// Resident memory of this process in bytes.
pub fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("a readable /proc");
    let pages: u64 = statm.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number");
    pages * 4096
}
