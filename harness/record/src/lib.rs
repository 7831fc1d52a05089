//! The run directory: a run writes it block by block, and everything that follows reads it.
//!
//! **In**: the scenario's text and a manifest when a run starts, then the rows and the
//! telemetry of each block. **Out**: the same, typed and streamed, to summaries, reports,
//! comparisons, and to a run that is resumed.
//!
//! | file | content | when it is written |
//! |---|---|---|
//! | `manifest.json` | machine, versions, artifacts, proofs, outputs | at the start and after the gate |
//! | `trace.csv` | a copy of the recorded arrivals, if there are any | at the start |
//! | `scenario.toml` | the scenario, as it was read | at the start, last |
//! | `invocations.jsonl` | a row for each invocation | after each block |
//! | `telemetry.jsonl` | a line for each block, which completes the block | after the block's rows |
//! | `summary.json`, `report.md` | what is computed from the rows | at the end, by [`atomic::write`] |
//!
//! The types of all lines and objects are those of `lumos-model`.
//!
//! | module | content |
//! |---|---|
//! | [`writer`] | [`RunWriter`]: creates or resumes a run directory and appends blocks |
//! | [`run`] | [`Run`]: opens a run directory for reading |
//! | [`rows`], [`telemetry`] | stream the lines of a run |
//! | `lines` | JSON lines, one at a time; the base of both |
//! | `incomplete` | removes the rows of blocks that were not completed |
//! | `lock` | keeps a second process out of a run directory |
//! | `manifest`, `schema_1` | read the manifest, and upgrade one of schema 1 |
//! | [`atomic`] | replaces files as a whole |
//! | [`error`] | [`RecordError`]: what can go wrong, and what to do |
#![forbid(unsafe_code)]

pub mod atomic;
pub mod error;
mod incomplete;
mod lines;
mod lock;
mod manifest;
pub mod rows;
pub mod run;
mod schema_1;
pub mod telemetry;
pub mod writer;

pub use error::RecordError;
pub use rows::Rows;
pub use run::{Run, find_scenario, read_manifest};
pub use writer::RunWriter;
