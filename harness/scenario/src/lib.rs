//! From a scenario file to a plan: cells, blocks and their order.
//!
//! In: a TOML file that describes an experiment, and what the hosts of this machine can do
//! (`lumos-runner` asks them). Out: a [`Scenario`] without mistakes and a [`Plan`](plan::Plan):
//! every cell, the reason if it cannot run here, and the blocks in the order of their
//! measurement. A mistake is reported with file, line, column and a hint. Nothing here starts a
//! process.
//!
//! | module | contents |
//! |---|---|
//! | [`scenario`] | the schema of a scenario as types |
//! | `parse` | TOML tables to that schema: `Scenario::load` |
//! | `check` | combinations of values that cannot be measured |
//! | `reader` | TOML nodes with their places, to checked values |
//! | `error` | mistakes, shown in the file |
//! | [`selector`] | patterns over cells, for `--filter` and `[[exclude]]` |
//! | [`plan`] | a scenario and hosts to cells and shuffled blocks |
//! | [`hosts`] | what the hosts of this machine can do |
//! | [`inputs`] | names of functions and sizes of `lumos-inputs` |
//! | `trace_file` | where a scenario's recorded arrivals are |
//! | [`words`] | suggestions for mistyped words |
#![forbid(unsafe_code)]

mod check;
mod error;
pub mod hosts;
pub mod inputs;
mod parse;
pub mod plan;
mod reader;
pub mod scenario;
pub mod selector;
mod trace_file;
pub mod words;

pub use scenario::Scenario;
