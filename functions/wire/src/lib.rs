//! The bytes between a lumos host and a function.
//!
//! Host and function both compile this crate, so that the two sides of the contract cannot differ.
//! A request goes in as JSON bytes; an [`Envelope`] comes out. The crate does no I/O of its own and
//! has no dependencies, because it becomes part of every wasm module.
//!
//! | module | content |
//! |---|---|
//! | [`phases`] | the phases that only the guest can measure |
//! | [`envelope`] | the answer of a function, in every form |
//! | [`frame`] | requests and replies of an instance in its own process |
//! | [`canary`] | a loop whose time distinguishes interpreted from compiled code |
#![forbid(unsafe_code)]

pub mod canary;
pub mod envelope;
pub mod frame;
pub mod phases;

pub use envelope::{Envelope, EnvelopeError, Status};
pub use frame::{Reply, ReplyOutcome, RequestKind};
pub use phases::{GuestPhase, GuestPhases};

/// Environment variable with the URL of the Redis server, `redis://ip:port`. The address is
/// numeric, because a guest has no resolver.
pub const REDIS_URL: &str = "REDIS_URL";

/// Environment variable with the data folder: the names of local files are relative to it. The path
/// is the one that the function sees. Absent: the working directory.
pub const DATA_FOLDER: &str = "LUMOS_DATA";

/// Environment variable with the lifetime of a connection: `request` (each get or put opens a new
/// connection; the default) or `instance`.
pub const CONNECTION: &str = "LUMOS_CONNECTION";

/// Environment variable with the longest time in milliseconds that a guest may wait for its socket.
/// On some engines, the host cannot stop a guest that is blocked in a host call, so the guest
/// limits the call itself.
pub const IO_TIMEOUT_MS: &str = "LUMOS_IO_TIMEOUT_MS";
