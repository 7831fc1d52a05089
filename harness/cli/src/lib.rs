//! Scenarios, plans, runs and reports: what the `lumos` command is made of.
//!
//! | module | what it does |
//! |---|---|
//! | [`artifacts`] | functions as built: looked up, collected, compiled ahead of time |
//! | [`commands`] | one file a subcommand: its arguments, and what it calls |
//! | [`report`] | a summary as text, Markdown or JSON |
//! | [`rows`] | reads a run's rows |
//! | [`discovery`] | which hosts stand beside `lumos`, and what each can do |
//! | [`plan`] | from a scenario to cells and shuffled blocks |
//! | [`scenario`] | the TOML file that describes an experiment, read and checked |
//! | [`selector`] | patterns over cells, for `--filter` and `[[exclude]]` |
//! | [`summary`] | what the rows say, cell by cell |
#![forbid(unsafe_code)]

pub mod artifacts;
pub mod commands;
pub mod discovery;
pub mod plan;
pub mod report;
pub mod rows;
pub mod scenario;
pub mod selector;
mod shuffle;
pub mod summary;
mod words;
