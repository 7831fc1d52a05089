//! Scenarios, plans, runs and reports: what the `lumos` command is made of.
//!
//! | module | what it does |
//! |---|---|
//! | [`artifacts`] | functions as built: looked up, collected, compiled ahead of time |
//! | [`commands`] | one file a subcommand: its arguments, and what it calls |
//! | [`compare`] | what changed between two runs |
//! | [`report`] | a summary as text, Markdown or JSON |
//! | [`rows`] | reads a run's rows |
//! | [`discovery`] | which hosts stand beside `lumos`, and what each can do |
//! | [`doctor`] | what the machine lacks for clean numbers |
//! | [`environment`] | the machine: what it is, how it is doing |
//! | [`fairness`] | whether a run was fair, checked from what it left behind |
//! | [`plan`] | from a scenario to cells and shuffled blocks |
//! | [`scenario`] | the TOML file that describes an experiment, read and checked |
//! | [`selector`] | patterns over cells, for `--filter` and `[[exclude]]` |
//! | [`run`] | the main path: gate, blocks, rows, report |
//! | [`block`] | one block: a host, a cell, a few samples |
//! | [`gate`] | same outputs and proven modes, or no measurement |
//! | [`session`] | hosts, artifacts, cgroups and storage, ready to use |
//! | [`host_client`] | our end of a host process |
//! | [`redis_server`], [`data_folder`] | the functions' storages |
//! | [`store`] | the run directory |
//! | [`progress`], [`interrupt`], [`run_info`] | the bar, Ctrl-C, the report's facts |
//! | [`summary`] | what the rows say, cell by cell |
#![forbid(unsafe_code)]

pub mod artifacts;
pub mod block;
pub mod commands;
pub mod compare;
pub mod data_folder;
pub mod discovery;
pub mod doctor;
pub mod environment;
pub mod fairness;
pub mod gate;
pub mod host_client;
pub mod interrupt;
pub mod plan;
pub mod progress;
pub mod redis_server;
pub mod report;
pub mod rows;
pub mod run;
pub mod run_info;
pub mod scenario;
pub mod selector;
pub mod session;
mod shuffle;
pub mod store;
pub mod summary;
mod words;
