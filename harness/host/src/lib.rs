//! What every host process does.

pub mod control;
pub mod instance_process;
mod main_entry;
pub mod sampler;

pub use main_entry::main;
pub use sampler::{Prepared, Processes};
