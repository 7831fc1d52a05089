//! The run directory.
#![forbid(unsafe_code)]

pub mod atomic;
pub mod error;
mod manifest;
pub mod rows;
pub mod run;
pub mod telemetry;
pub mod writer;

pub use error::RecordError;
pub use rows::Rows;
pub use run::{Run, read_manifest};
pub use writer::RunWriter;
