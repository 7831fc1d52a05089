//! Wasmtime as a runtime of lumos.
//!
//! [`WasmtimeRuntime`] is an engine of `lumos-runtime`: it loads `wasip2` components into
//! modules, creates instances of them, and invokes those inside the host process. It has three
//! modes: the Pulley interpreter, compilation at load time (JIT), and ahead-of-time compilation
//! (AoT). `lumos-host` makes a host process of it.
//!
//! | module | subject |
//! |---|---|
//! | `runtime` | the runtime as lumos sees it |
//! | `capabilities` | what the runtime offers |
//! | `mode` | the three modes and their targets |
//! | `engine` | settings, host functions and watchdog of one mode |
//! | `module` | an artifact, read, compiled or mapped, and linked |
//! | `instance` | one store; serves one invocation at a time |
//! | `guest` | what the host keeps for a guest |
//! | `storage` | the interface by which the host stores values for its guest |
//! | `executor` | drives the engine's futures on the calling thread |
//! | `watchdog` | ends invocations that exceed their deadline |
//! | `limiter` | the bound on memory |
//! | `copies` | bytes that cross a component's boundary, and the time of the copy |
//! | `stderr` | the end of a guest's standard error |
//! | `failure` | from the engine's errors to the outcome of an invocation |
//! | `proof` | the evidence of a mode |

mod capabilities;
mod copies;
mod engine;
mod executor;
mod failure;
mod guest;
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
