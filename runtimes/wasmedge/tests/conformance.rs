//! The conformance suite that every runtime passes.

lumos_testkit::conformance! {
    engine: lumos_host_wasmedge::WasmEdgeRuntime::new(),
    host: env!("CARGO_BIN_EXE_lumos-host-wasmedge"),
    interp: "wasmedge-interp", [thread, process], processes: 100;
    // Each process compiles.
    jit: "wasmedge-jit", [thread, process], processes: 3;
    aot: "wasmedge-aot", [thread, process], processes: 100;
}
