//! Host process that runs lumos functions under Wasmtime.

use std::process::ExitCode;

use lumos_host_wasmtime::WasmtimeRuntime;

fn main() -> ExitCode {
    lumos_host::main(WasmtimeRuntime::new())
}
