//! What every host process does, whatever its runtime.
//!
//! A host's `main` is one call: [`run_engine`] for a runtime whose instances live inside the
//! host, or [`run_launcher`] for one whose instances are processes of their own. The command
//! line then selects what the process does:
//!
//! - `control`: it answers requests of `lumos` on its standard streams ([`ToHost`]): it
//!   prepares cells and measures blocks of samples, drives loads, and opens gateways;
//! - `instance`: it serves one instance over frames, for a host that started it;
//! - `capabilities` and `compile`: it prints what the runtime offers, or compiles a module
//!   ahead of time.
//!
//! Into a host come requests of `lumos` and artifacts; out come samples, counters and mode
//! proofs ([`FromHost`]). Runtimes implement the traits of `lumos-runtime`, and pools of
//! instances are `lumos-platform`'s.
//!
//! | module | subject |
//! |---|---|
//! | `entry` | the command line |
//! | [`control`] | the conversation with `lumos` |
//! | [`backend`] | the two kinds of runtime, as the rest of a host sees them |
//! | [`prepared_cell`] | a cell that is ready to be measured, block by block |
//! | [`sampler`] | takes single samples, of an instance in this process or in its own |
//! | [`instance_process`] | the host executable as one instance |
//! | `instance_groups` | the control group folder of a host's instances |
//!
//! [`ToHost`]: lumos_model::protocol::ToHost
//! [`FromHost`]: lumos_model::protocol::FromHost

pub mod backend;
pub mod control;
mod entry;
mod instance_groups;
pub mod instance_process;
pub mod prepared_cell;
pub mod sampler;

pub use backend::{Backend, EngineBackend, LauncherBackend};
pub use entry::{run_engine, run_launcher};
pub use prepared_cell::PreparedCell;
