//! The host process for native functions.

use std::process::ExitCode;

fn main() -> ExitCode {
    lumos_host::main(lumos_host_native::NativeRuntime)
}
