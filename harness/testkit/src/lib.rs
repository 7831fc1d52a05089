//! For tests.

pub mod conformance;
pub mod http_client;
pub mod leftovers;
pub mod mock;
pub mod openmetrics;
pub mod plans;
pub mod run_dir;
pub mod run_fixtures;
pub mod samples;
pub mod scratch;
pub mod server;
pub mod simulated_machine;

pub use lumos_runtime::Runtime;
