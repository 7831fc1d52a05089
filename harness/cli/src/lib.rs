//! The `lumos` command.
#![forbid(unsafe_code)]

pub mod commands;
pub mod progress;
pub mod terminal;
