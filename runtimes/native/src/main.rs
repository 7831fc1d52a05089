//! The host process of native functions.

use std::process::ExitCode;

use lumos_host_native::NativeLauncher;

fn main() -> ExitCode {
    lumos_host::run_launcher(NativeLauncher)
}
