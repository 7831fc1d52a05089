//! The words of lumos as types.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cell`] | one point of an experiment: function, size, target, isolation, start, storage |
//! | [`arrival`] | how invocations arrive under load |
//! | [`pool`] | how a pool of instances is kept, and what it tells of itself |
//! | [`phase`] | the contiguous parts of an invocation |
//! | [`row`] | what is written for each invocation |
//! | [`artifact`] | functions as built, and the manifest that the build writes |
//! | [`capability`] | what a host process says of itself |
//! | [`protocol`] | what `lumos` and a host process say to each other |
//! | [`quantity`] | measured values with their units |
//! | [`units`] | byte sizes and durations as people write them |
//!
//! Nothing here does I/O or reads a clock.
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

/// Version of every file that lumos writes; a reader refuses a later one.
pub const SCHEMA: u32 = 1;
