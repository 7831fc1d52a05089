//! What every lumos host process does, whatever runtime it holds.
//!
//! A runtime's crate implements [`Runtime`] and calls [`main`]; the rest is here.

pub mod canary;
pub mod cgroup;
pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod control;
pub mod drive;
pub mod error;
pub mod gateway;
mod lane;
mod main_entry;
pub mod marks;
pub mod measure;
#[cfg(any(test, feature = "mock"))]
pub mod mock;
pub mod page_cache;
pub mod pool;
pub mod process;
pub mod runtime;
pub mod serve_instance;
pub mod service;
mod serving;
pub mod spawn;
mod storage;
pub mod telemetry;
mod threads;

pub use error::{HostError, InvokeError};
pub use lane::{Prepared, Processes};
pub use main_entry::main;
pub use marks::Marks;
pub use runtime::{
    Compiled, GUEST_FOLDER, Instance, InstanceConfig, ProcessCommand, Resident, Runtime,
};
pub use storage::HostStorage;
