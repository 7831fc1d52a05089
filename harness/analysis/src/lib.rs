//! What the rows of runs say.
#![forbid(unsafe_code)]

pub mod compare;
pub mod fairness;
pub mod run;
pub mod scenario;
pub mod summary;

pub use run::Analysis;
