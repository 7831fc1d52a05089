//! Linux as lumos uses it.

pub mod cgroup;
pub mod clock;
pub mod command;
pub mod error;
pub mod machine;
pub mod page_cache;
pub mod pinning;
pub mod priority;
#[cfg(any(test, feature = "simulated-clock"))]
pub mod simulated;
pub mod spawn;
pub mod usage;

pub use error::OsError;
