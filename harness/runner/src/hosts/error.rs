//! Why a host did not do what it was asked.

use crate::interrupt::Interrupted;

/// Why a host did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A signal asks the command to end.
    #[error("the host was stopped by a signal")]
    Interrupted(#[from] Interrupted),
    /// The host refused the request. It still runs.
    #[error("{0}")]
    Refused(String),
    /// The kernel killed the host at the memory limit of the instances inside it.
    #[error("{host}: the kernel killed it at its memory limit")]
    OutOfMemory {
        /// Its executable.
        host: String,
    },
    /// The host did not answer in time. It still runs.
    #[error("{host}: no answer within {seconds} s")]
    Silent {
        /// Its executable.
        host: String,
        /// How long `lumos` waited.
        seconds: u64,
    },
    /// The host is dead.
    #[error("{host}: {reason}")]
    Gone {
        /// Its executable.
        host: String,
        /// What happened, with the last lines of the host's standard error.
        reason: String,
    },
}
