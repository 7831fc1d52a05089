//! The host process of Wasmtime.

use std::process::ExitCode;

use lumos_host_wasmtime::WasmtimeRuntime;

fn main() -> ExitCode {
    lumos_host::run_engine(WasmtimeRuntime::new())
}
