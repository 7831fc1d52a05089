//! The conformance suite that every runtime passes.

lumos_testkit::conformance! {
    launcher: lumos_host_native::NativeLauncher,
    host: env!("CARGO_BIN_EXE_lumos-host-native"),
    native: "native", [process], processes: 100;
}
