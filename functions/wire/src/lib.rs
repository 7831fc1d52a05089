//! The bytes that pass between a lumos host and a function.
//!
//! Both sides of the contract compile this crate, so that they cannot drift apart:
//! [`envelope`] is what every form of a function answers, [`frame`] is how an
//! instance in an operating-system process of its own is spoken to, and [`canary`]
//! is the loop that tells interpreted from compiled code.
#![forbid(unsafe_code)]

pub mod canary;
pub mod envelope;
pub mod frame;
pub mod phases;

pub use envelope::{Envelope, EnvelopeError, Status};
pub use frame::{Reply, ReplyOutcome, RequestKind};
pub use phases::{GuestPhase, GuestPhases};

/// Environment variable with the URL of the Redis server, `redis://ip:port`.
///
/// The address is numeric: a guest has no resolver.
pub const REDIS_URL: &str = "REDIS_URL";

/// Environment variable with the folder that the names of local files are relative to,
/// as the function sees it. Absent: the process's own.
pub const DATA_FOLDER: &str = "LUMOS_DATA";

/// Environment variable that says how long a connection lives: `request` (a new
/// connection for each invocation, the default) or `instance`.
pub const CONNECTION: &str = "LUMOS_CONNECTION";

/// Environment variable with the longest time in milliseconds that a guest may wait
/// for its socket. The host cannot stop a guest that is blocked in a host call on
/// every engine, so the guest bounds the call itself.
pub const IO_TIMEOUT_MS: &str = "LUMOS_IO_TIMEOUT_MS";
