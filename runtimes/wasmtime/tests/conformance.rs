//! The conformance suite that every runtime passes.

lumos_testkit::conformance! {
    engine: lumos_host_wasmtime::WasmtimeRuntime::new(),
    host: env!("CARGO_BIN_EXE_lumos-host-wasmtime"),
    // The first two compile in each process.
    interp: "wasmtime-interp", [thread, process], processes: 10;
    jit: "wasmtime-jit", [thread, process], processes: 10;
    aot: "wasmtime-aot", [thread, process], processes: 100;
}
