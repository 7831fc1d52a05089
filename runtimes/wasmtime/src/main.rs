//! Host process that runs lumos functions under Wasmtime.

use lumos_host::Runtime;
use lumos_host_wasmtime::WasmtimeRuntime;

fn main() {
    // Until lumos_host::main is there.
    for target in WasmtimeRuntime::new().capabilities().targets {
        println!("{}", target.target);
    }
}
