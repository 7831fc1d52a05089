//! The executable `lumos`. Everything is in the library, from `commands/mod.rs` on.

use std::process::ExitCode;

fn main() -> ExitCode {
    lumos_cli::commands::main()
}
