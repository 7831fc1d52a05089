//! From a scenario file to a plan.
#![forbid(unsafe_code)]

pub mod hosts;
pub mod inputs;
pub mod plan;
pub mod requests;
pub mod scenario;
pub mod selector;
mod shuffle;
pub mod words;

pub use scenario::Scenario;
