//! The `lumos` command. Everything is in the library; see `commands/mod.rs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    lumos_cli::commands::main()
}
