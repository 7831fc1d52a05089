//! What the system refused.

/// A system call failed, or this machine does not offer something. The message says what, where,
/// and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OsError {
    /// A system call failed.
    #[error("{what}: {source}")]
    Call {
        /// What was attempted.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// This machine, or this user, does not have it.
    #[error("{0}")]
    Unavailable(String),
}

impl OsError {
    /// A failed system call.
    pub fn call(what: impl ToString, source: impl Into<std::io::Error>) -> Self {
        Self::Call { what: what.to_string(), source: source.into() }
    }

    /// Something that this machine or user does not have.
    pub fn unavailable(message: impl ToString) -> Self {
        Self::Unavailable(message.to_string())
    }
}
