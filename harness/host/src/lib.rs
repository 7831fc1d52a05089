//! What every lumos host process does, whatever runtime it holds.
//!
//! A runtime's crate implements [`Runtime`] and calls [`main`]; the rest is here.

pub mod canary;
pub mod clock;
pub mod error;
pub mod marks;
pub mod runtime;

pub use error::{HostError, InvokeError};
pub use marks::Marks;
pub use runtime::{Compiled, Instance, InstanceConfig, ProcessCommand, Runtime};
