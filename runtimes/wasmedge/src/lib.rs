//! WasmEdge as a runtime of lumos.
//!
//! [`WasmEdgeRuntime`] is an engine of `lumos-runtime`: it loads `wasip1` modules, creates
//! instances of them, and invokes those inside the host process. It has three modes: the
//! interpreter, compilation at the first instantiation (JIT), and ahead-of-time compilation
//! (AoT). `lumos-host` makes a host process of it.
//!
//! WasmEdge's peculiarities, and the modules that deal with them:
//! - it silently falls back to its interpreter: [`proof`];
//! - its JIT compiles in the first instantiation of a VM: [`module`];
//! - it cannot interrupt compiled code without a cost to every invocation: `watchdog` and
//!   `interrupt`;
//! - it explains its errors only in its log: `log`.
//!
//! It does not survive unbounded recursion of compiled code: WasmEdge's fault handler runs on
//! the stack that has overflowed, so the process dies of SIGSEGV. With process isolation that
//! ends one instance, with thread isolation the host.
//!
//! | module | subject |
//! |---|---|
//! | `runtime` | the runtime as lumos sees it |
//! | `capabilities` | what the runtime offers |
//! | [`mode`] | the three modes and their targets |
//! | [`config`] | WasmEdge's configuration |
//! | [`mod@compile`] | ahead-of-time compilation |
//! | [`module`] | an artifact, read and validated |
//! | [`ast`] | parsed modules |
//! | [`instance`] | an instance and its invocations |
//! | [`vm`] | guests: executors, VMs, calls and memory |
//! | [`surroundings`] | environment, streams and folder of a guest |
//! | `storage` | the module by which the host stores values for its guest |
//! | `watchdog`, `slot` | ends invocations that exceed their deadline |
//! | `interrupt`, `guest_code` | stops compiled code by a signal |
//! | `stop_token` | stops the interpreter |
//! | [`proof`], [`maps`] | the evidence of a mode |
//! | `failure`, `log`, `strings`, `owned` | results, log, strings and ownership of the C interface |

pub mod ast;
mod capabilities;
pub mod compile;
pub mod config;
mod failure;
mod guest_code;
pub mod instance;
mod interrupt;
mod log;
pub mod maps;
pub mod mode;
pub mod module;
mod owned;
pub mod proof;
mod runtime;
mod slot;
mod stop_token;
mod storage;
mod strings;
pub mod surroundings;
pub mod vm;
mod watchdog;

pub use runtime::WasmEdgeRuntime;
