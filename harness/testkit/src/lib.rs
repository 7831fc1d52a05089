//! For tests.

pub mod conformance;
pub mod mock;
pub mod plans;

pub use lumos_runtime::Runtime;
