//! What a runtime implements.

pub mod canary;
pub mod engine;
pub mod error;
mod host_storage;
pub mod launch;
pub mod marks;
pub mod process;
pub mod sample;

pub use engine::{Compiled, GUEST_FOLDER, Instance, InstanceConfig, Resident, Runtime};
pub use error::{HostError, InvokeError};
pub use host_storage::HostStorage;
pub use marks::Marks;
