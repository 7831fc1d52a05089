//! The guest side of a lumos function.
//!
//! A function crate implements [`Function`] and calls [`export!`] in its `lib.rs`; its
//! `main.rs` is one call of [`main!`]. The target decides the form:
//!
//! | target | library | executable |
//! |---|---|---|
//! | native | the function, for tests | a request loop over frames on stdin/stdout |
//! | `wasm32-wasip1` | a reactor: `alloc`, `invoke`, `canary`, `oom` | a command |
//! | `wasm32-wasip2` | a component of `wit/function.wit` | a command |
//!
//! A command reads one request from stdin and writes the response to stdout; an error
//! goes to stderr and makes the exit code 1. What a function does not use is not
//! linked: without storage a module has no sockets, no Redis and no files.
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
mod host;
mod invoke;
pub mod redis;
pub mod socket;
mod storage;

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
pub use invoke::{invoke_bytes, respond};
pub use lumos_wire as wire;
pub use storage::{Sink, Source, Stored};

use serde::{Serialize, de::DeserializeOwned};

/// A serverless function.
pub trait Function {
    /// The request, decoded from JSON.
    type Request: DeserializeOwned;
    /// The response, encoded as JSON.
    type Output: Serialize;

    /// Serves one request.
    ///
    /// # Errors
    /// Whatever keeps the function from an output; the message reaches the caller.
    fn run(request: Self::Request, cx: &mut Context) -> Result<Self::Output, Error>;
}

/// Makes a type the function of its crate: call it once, in `lib.rs`.
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

// On a native target nothing is exported: the executable is the artifact.
#[doc(hidden)]
#[macro_export]
#[cfg(not(target_family = "wasm"))]
macro_rules! __export_for_target {
    ($function:ty) => {
        const _: fn(&[u8]) -> Vec<u8> = $crate::invoke_bytes::<$function>;
    };
}
