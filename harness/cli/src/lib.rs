//! Scenarios, plans, runs and reports: what the `lumos` command is made of.
//!
//! | module | what it does |
//! |---|---|
//! | [`commands`] | one file a subcommand: its arguments, and what it calls |
#![forbid(unsafe_code)]

pub mod commands;
