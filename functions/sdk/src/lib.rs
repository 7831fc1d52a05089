//! The guest side of a lumos function.
//!
//! A function crate implements [`Function`] and calls [`export!`] in its `lib.rs`; its `main.rs` is
//! one call of [`main!`]. A request enters as JSON bytes; the answer leaves as JSON bytes with the
//! measured phases ([`wire::envelope`]). The target decides the form of the artifact:
//!
//! | target | library | executable |
//! |---|---|---|
//! | native | the function, for tests | a request loop over frames on stdin/stdout |
//! | `wasm32-wasip1` | a reactor: `alloc`, `invoke`, `canary`, `oom` | a command |
//! | `wasm32-wasip2` | a component of `wit/function.wit` | a command |
//!
//! A command reads one request from stdin and writes the response to stdout. On an error it writes
//! the message to stderr and exits with code 1. Unused parts are not linked: a module without
//! storage has no sockets, no Redis client and no files.
//!
//! | module | content |
//! |---|---|
//! | `function`, `context` | what a function implements, and what it can use |
//! | `invoke` | one invocation: what all forms share |
//! | `native`, `reactor`, `component`, `command` | the forms |
//! | `bindings` | the component's interface |
//! | `storage` | where a function's data comes from and goes to |
//! | [`redis`], `host` | the storages outside the guest |
//! | [`socket`], `wasmedge_socket` | TCP connections |
//! | `base64`, `error`, `time` | binary output, errors, the stopwatch |
//!
//! ```
//! use lumos_function::{Context, Error, Function};
//!
//! struct Double;
//! impl Function for Double {
//!     type Request = u32;
//!     type Output = u64;
//!     fn run(number: u32, _cx: &mut Context) -> Result<u64, Error> {
//!         Ok(u64::from(number) * 2)
//!     }
//! }
//! lumos_function::export!(Double);
//! # fn main() {}
//! ```

mod base64;
mod context;
mod error;
mod function;
mod host;
mod invoke;
pub mod redis;
pub mod socket;
mod storage;
mod time;

#[doc(hidden)]
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub mod bindings;
#[cfg(target_family = "wasm")]
mod command;
#[doc(hidden)]
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub mod component;
#[cfg(not(target_family = "wasm"))]
mod native;
#[doc(hidden)]
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub mod reactor;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod wasmedge_socket;

pub use base64::Base64;
pub use context::Context;
pub use error::Error;
pub use function::Function;
pub use invoke::{invoke_bytes, respond};
pub use lumos_wire as wire;
pub use storage::{Sink, Source, Stored};

/// Exports a type that implements [`Function`]. Call it once, in `lib.rs`.
#[macro_export]
macro_rules! export {
    ($function:ty) => {
        $crate::__export_for_target!($function);
    };
}

/// Writes `fn main` for a type that implements [`Function`].
#[macro_export]
macro_rules! main {
    ($function:ty) => {
        fn main() -> ::std::process::ExitCode {
            $crate::__main::<$function>()
        }
    };
}

#[doc(hidden)]
#[cfg(target_family = "wasm")]
pub use command::main as __main;
#[doc(hidden)]
#[cfg(not(target_family = "wasm"))]
pub use native::{main as __main, serve};
