//! Artifacts of the hand-written guest, and helpers to use them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lumos_host_wasmtime::{WasmtimeInstance, WasmtimeRuntime};
use lumos_model::cell::Target;
use lumos_runtime::{Engine, Instance, InstanceConfig, InvokeError, Marks};
use tempfile::TempDir;

/// A timeout that no test reaches.
pub const LONG: Duration = Duration::from_secs(60);
/// A timeout that tests wait for.
pub const SHORT: Duration = Duration::from_millis(50);

/// A runtime with the guest in both forms.
pub struct Fixture {
    pub runtime: WasmtimeRuntime,
    pub component: PathBuf,
    pub code: PathBuf,
    folder: TempDir,
}

impl Fixture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let component = folder.path().join("guest.p2.wasm");
        let code = folder.path().join("guest.wasmtime-aot");
        std::fs::write(&component, wat::parse_str(include_str!("guest.wat")).expect("valid"))
            .expect("written");
        let runtime = WasmtimeRuntime::new();
        runtime.compile(&target("aot"), &component, &code).expect("compiled");
        Self { runtime, component, code, folder }
    }

    /// A file next to the artifacts.
    pub fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        path
    }

    /// The artifact that a mode runs.
    pub fn artifact(&self, mode: &str) -> &Path {
        if mode == "aot" { &self.code } else { &self.component }
    }

    /// An instance of the guest.
    pub fn instance(&self, mode: &str, memory_bytes: Option<u64>) -> WasmtimeInstance {
        let mut marks = Marks::default();
        let module = self.runtime.load(&target(mode), self.artifact(mode), &mut marks).unwrap();
        let config = InstanceConfig { memory_bytes, ..InstanceConfig::default() };
        self.runtime.instantiate(&module, &config, &mut marks).unwrap()
    }
}

pub const MODES: [&str; 3] = ["interp", "jit", "aot"];

pub fn target(mode: &str) -> Target {
    format!("wasmtime-{mode}").parse().expect("a target")
}

/// The answer to a request.
pub fn ask(
    instance: &mut WasmtimeInstance,
    request: &[u8],
    timeout: Duration,
) -> Result<Vec<u8>, InvokeError> {
    let mut answer = b"old".to_vec();
    instance.invoke(request, timeout, &mut answer, &mut Marks::default()).map(|()| answer)
}
