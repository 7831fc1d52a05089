//! Wasmtime as a runtime of lumos: wasip2 components under the Pulley interpreter,
//! compiled when loaded (JIT) or compiled ahead of time (AoT).
//!
//! - [`engine`](WasmtimeRuntime): one resident engine a mode;
//! - `module`: an artifact, read and compiled or mapped, its imports linked;
//! - `instance`: one store, one invocation at a time;
//! - `watchdog`: the alarm clock that ends what runs past its deadline;
//! - `limiter`: the bound on memory;
//! - `stderr`: the last words of a guest;
//! - `proof`: which code it is that runs.

mod capabilities;
mod copies;
mod engine;
mod executor;
mod failure;
mod instance;
mod limiter;
mod mode;
mod module;
mod proof;
mod runtime;
mod stderr;
mod storage;
mod watchdog;

pub use instance::WasmtimeInstance;
pub use module::WasmtimeModule;
pub use runtime::WasmtimeRuntime;
