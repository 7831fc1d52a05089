//! The suite that every runtime passes.

lumos_testkit::conformance! {
    runtime: lumos_host_native::NativeRuntime,
    host: env!("CARGO_BIN_EXE_lumos-host-native"),
    native: "native", [process], processes: 100;
}
