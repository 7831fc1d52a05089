//! What a runtime implements, and what every host needs to use it.
//!
//! A host process (`lumos-host-*`) executes functions. Its runtime comes in one of two kinds:
//!
//! - an [`Engine`] runs instances inside the host process: it loads an artifact into a module
//!   and creates instances of the module;
//! - a [`Launcher`] starts [`Sandbox`]es, processes that each hold one instance and speak
//!   frames on their standard streams.
//!
//! `process` isolation of an engine is a launcher as well ([`HostProcesses`]): it starts the
//! host executable again, as `instance`.
//!
//! Into this crate come artifacts, configurations and requests (`lumos-model`). Out come
//! envelopes, [`Marks`] with the phases of an invocation, and [`Sample`]s. `lumos-host` takes
//! samples of single instances with it, `lumos-platform` keeps pools of instances.
//!
//! | module | subject |
//! |---|---|
//! | [`engine`] | the traits `Engine` and `Instance` |
//! | [`launcher`] | the traits `Launcher` and `PreparedLaunch` |
//! | [`instance_config`] | environment, memory bound and folder of an instance |
//! | [`slots`] | one function on an engine: module and instance, created when needed |
//! | [`sandbox`] | an instance in a process of its own |
//! | [`sandbox_source`] | launches the sandboxes of one function into their control groups |
//! | [`host_process`] | the launcher that starts the host executable again |
//! | `pipes` | frames over pipes, with deadlines |
//! | [`exchange`] | one request and its reply, and the phases between two processes |
//! | [`marks`] | the stopwatch of the measured code |
//! | [`sample`] | from the readings around an invocation to a row's sample |
//! | [`canary`] | the proof that a target runs in its mode |
//! | [`artifact`] | checks of artifact files |
//! | `host_storage` | Redis, accessed by the host for its guest |
//! | [`error`] | the errors of hosts and of invocations |
//!
//! [`Sample`]: lumos_model::row::Sample

pub mod artifact;
pub mod canary;
pub mod engine;
pub mod error;
pub mod exchange;
pub mod host_process;
mod host_storage;
pub mod instance_config;
pub mod launcher;
pub mod marks;
mod pipes;
pub mod sample;
pub mod sandbox;
pub mod sandbox_source;
pub mod slots;

pub use engine::{Compiled, Engine, Instance, Resident};
pub use error::{HostError, InvokeError};
pub use host_process::HostProcesses;
pub use host_storage::HostStorage;
pub use instance_config::{GUEST_FOLDER, InstanceConfig};
pub use launcher::{CommandLaunch, Launcher, PreparedLaunch, SandboxConfig};
pub use marks::Marks;
pub use sandbox::{NewGroup, Sandbox};
pub use sandbox_source::SandboxSource;
pub use slots::{InstanceSlot, ModuleSlot};
