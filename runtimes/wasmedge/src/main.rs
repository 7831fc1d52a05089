//! The host process of WasmEdge.

use std::process::ExitCode;

use lumos_host_wasmedge::WasmEdgeRuntime;

fn main() -> ExitCode {
    lumos_host::run_engine(WasmEdgeRuntime::new())
}
