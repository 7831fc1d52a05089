//! Fixtures of tests and benches. Nothing that is released depends on this crate.
//!
//! It provides what tests of several crates share: an engine without work on a simulated clock
//! ([`mock`]), the suite that every runtime passes ([`mod@conformance`]), and small fixtures. The
//! executable `mock-host` is a host whose engine computes nothing on a simulated clock, with
//! which tests know a whole run of `lumos` byte for byte.
//!
//! | module | subject |
//! |---|---|
//! | [`mock`] | an engine that follows a script, on a simulated clock |
//! | [`mod@conformance`] | what every runtime must do, as tests |
//! | [`http_client`] | an HTTP client for tests of the gateway |
//! | [`server`] | `lumos serve` as a child process |
//! | [`openmetrics`] | a strict reader of metrics |
//! | [`leftovers`] | what a run left in the system |
//! | [`scratch`] | temporary folders with scenarios and artifacts |
//! | [`plans`], [`samples`], [`run_dir`], [`run_fixtures`] | plans, samples and run directories without measuring |
//! | [`simulated_machine`] | runs of a machine whose noise is known |

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
