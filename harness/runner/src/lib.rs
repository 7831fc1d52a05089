//! Carries out what the commands of `lumos` ask for: runs, single invocations, gateways, builds
//! of artifacts, checks of the machine.
//!
//! **In**: a scenario with its plan, the hosts next to `lumos`, the functions as built.
//! **Out**: rows and telemetry, written to a run directory through `lumos-record`; progress,
//! through an [`Observer`](observer::Observer).
//!
//! A run goes through these modules from top to bottom; [`run`] is its main path.
//!
//! | module | content |
//! |---|---|
//! | [`run`] | [`Experiment`](run::Experiment): from a scenario to the rows of a run |
//! | [`hosts`] | finds the hosts, starts them, and speaks the host protocol with them |
//! | [`artifacts`] | the functions as built: their build, and how a run finds them |
//! | `storages` | where functions find their input and leave their output |
//! | [`session`] | all of these, ready for invocations |
//! | [`directory`] | the run directory: a new one, or one to continue |
//! | `manifest` | the facts about a run |
//! | `gate` | all targets prove their mode and give the same outputs |
//! | `proof` | how often a host may try to prove a mode |
//! | [`block`] | measures one block of one cell |
//! | [`gateway`] | serves functions over HTTP, for `lumos serve` |
//! | [`doctor`] | what this machine lacks for clean numbers |
//! | [`checks`] | checks of what a user asks for |
//! | [`observer`] | where a run reports its progress |
//! | [`interrupt`] | signals that end a command |
//! | `programs`, `sync` | programs in `PATH`; locks |
#![forbid(unsafe_code)]

pub mod artifacts;
pub mod block;
pub mod checks;
pub mod directory;
pub mod doctor;
mod gate;
pub mod gateway;
pub mod hosts;
pub mod interrupt;
mod manifest;
pub mod observer;
mod programs;
mod proof;
pub mod run;
pub mod session;
mod storages;
mod sync;
