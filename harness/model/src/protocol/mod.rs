//! The messages between `lumos` and a host process.
//!
//! Each message is a frame ([`codec`](crate::codec)) on the host's standard input or output.
//! `lumos` sends a [`ToHost`]; the host answers each with one [`FromHost`], in order. At the end of
//! its input, a host stops what it runs, removes the cgroups that it created, and exits.
//!
//! | file | content |
//! |---|---|
//! | `limits` | bounds on an instance and on a gateway |
//! | `prepare` | what a host needs to know before it measures a cell |
//! | `block` | the result of a block |
//! | `load` | pools behind a gateway or under an internal load, and their results |
//! | `proof` | the proof of a target's mode |
//! | `messages` | [`ToHost`] and [`FromHost`] |

mod block;
mod limits;
mod load;
mod messages;
mod prepare;
mod proof;

pub use self::block::BlockResult;
pub use self::limits::{HttpLimits, Limits};
pub use self::load::{Load, LoadResult, PoolRecords, Pooled, Serve};
pub use self::messages::{FromHost, ToHost};
pub use self::prepare::{CgroupBase, Prepare};
pub use self::proof::{Execution, ModeProof};

/// Version of this protocol.
pub const PROTOCOL: u32 = 2;
