//! The command line of `lumos`: commands parse their arguments, call the other crates, and print
//! the result.
//!
//! **In**: arguments, files, signals. **Out**: results on standard output, progress and warnings
//! on standard error, an exit code (0 done, 1 a measured thing failed, 2 bad usage or input, and
//! 128 plus the number of a signal that ended the command).
//!
//! | module | content |
//! |---|---|
//! | [`commands`] | one file or folder per command, and the list of all |
//! | `arguments` | arguments that several commands have |
//! | `text` | tables and counts, for people |
//! | `progress` | how far a run is |
//! | `terminal` | the terminal's width, and warnings |
//! | `exit` | how a command ends: exit codes and errors |
#![forbid(unsafe_code)]

mod arguments;
pub mod commands;
mod exit;
mod progress;
mod terminal;
mod text;
