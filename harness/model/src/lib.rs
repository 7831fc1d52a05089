//! The words of lumos as types: what the other crates exchange, and what files hold.
//!
//! This crate is the ground floor of the harness. It has no input and no output of its own: every
//! other crate speaks in its types. A scenario expands into [`cell`]s; `lumos` and a host process
//! measure them with the messages of [`protocol`]; the run directory keeps the results as
//! [`manifest`], [`row`]s and [`telemetry`]; reports read these again. Nothing here does I/O or
//! reads a clock.
//!
//! | module | content |
//! |---|---|
//! | *the experiment* | |
//! | [`cell`] | one point of an experiment: function, size, target, isolation, storage, demand |
//! | [`arrival`] | how requests arrive under load |
//! | [`pool`] | the configuration of a pool of instances, and its events |
//! | [`phase`] | the contiguous parts of an invocation |
//! | [`counters`] | counters of processes and control groups, with kind and unit |
//! | [`quantity`] | measured values with their units |
//! | *builds and hosts* | |
//! | [`artifact`] | built functions, and the manifest that the build writes |
//! | [`capability`] | what a host process can do |
//! | [`protocol`] | the messages between `lumos` and a host process |
//! | [`codec`] | the frames of these messages |
//! | [`wire`] | the bytes between a host and a function (crate `lumos-wire`) |
//! | *the run directory* | |
//! | [`files`] | the names of its files |
//! | [`manifest`] | `manifest.json`: the facts of a run |
//! | [`row`] | `invocations.jsonl`: one invocation |
//! | [`telemetry`] | `telemetry.jsonl`: one block |
//! | [`fingerprint`] | the machine and its settings |
//! | [`health`] | the state of the machine during a block |
//! | [`warning`] | reasons to trust the numbers of a run less |
//! | *notation* | |
//! | [`mod@words`] | closed sets of words: the macro `words!` |
//! | [`units`] | sizes, durations and checked numbers as people write them |
//! | [`hex`] | bytes in hexadecimal |
#![forbid(unsafe_code)]

pub mod arrival;
pub mod artifact;
pub mod capability;
pub mod cell;
pub mod codec;
pub mod counters;
pub mod files;
pub mod fingerprint;
pub mod health;
pub mod hex;
pub mod manifest;
pub mod phase;
pub mod pool;
pub mod protocol;
pub mod quantity;
pub mod row;
pub mod telemetry;
pub mod units;
pub mod warning;
pub mod words;

pub use lumos_wire as wire;

/// Version of the JSON that lumos writes, except a run's manifest; a reader rejects later versions.
pub const SCHEMA: u32 = 1;
