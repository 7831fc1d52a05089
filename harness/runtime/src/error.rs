//! The errors of hosts and of invocations.

use std::path::{Path, PathBuf};

use lumos_os::OsError;

/// A host could not do what was asked. The message says what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The artifact cannot be used.
    #[error("{}: {reason}", path.display())]
    Artifact {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// The target does not run in the mode that its name promises.
    #[error("{target} is not proven: {reason}")]
    Mode {
        /// The target.
        target: String,
        /// The evidence.
        reason: String,
    },
    /// The engine refused.
    #[error("{0}")]
    Engine(String),
    /// This runtime does not offer the operation.
    #[error("{0}")]
    Unsupported(String),
    /// The operating system refused.
    #[error(transparent)]
    Os(#[from] OsError),
}

impl HostError {
    /// An artifact that cannot be used.
    pub fn artifact(path: &Path, reason: impl ToString) -> Self {
        Self::Artifact { path: path.to_owned(), reason: reason.to_string() }
    }

    /// The engine's own message.
    pub fn engine(message: impl ToString) -> Self {
        Self::Engine(message.to_string())
    }

    /// An operation that this runtime does not offer.
    pub fn unsupported(message: impl ToString) -> Self {
        Self::Unsupported(message.to_string())
    }

    /// A failed system call.
    pub fn system(what: impl ToString, source: impl Into<std::io::Error>) -> Self {
        Self::Os(OsError::call(what, source))
    }
}

/// Why an invocation returned no envelope. The instance is dead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The guest trapped or its process died.
    #[error("{0}")]
    Trap(String),
    /// The guest ran out of memory.
    #[error("{0}")]
    OutOfMemory(String),
    /// The guest passed its deadline.
    #[error("{0}")]
    Timeout(String),
    /// The instance could not be reached or created.
    #[error("{0}")]
    Failed(String),
}

impl From<HostError> for InvokeError {
    /// An instance that the host could not create.
    fn from(error: HostError) -> Self {
        Self::Failed(error.to_string())
    }
}
