//! Errors of the operating system.

use std::io;
use std::path::Path;

/// A system call failed, or this machine or user lacks a feature. The message says what failed,
/// where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OsError {
    /// A system call failed.
    #[error("{what}: {source}")]
    Call {
        /// What was attempted, and on what.
        what: String,
        /// The system's error.
        source: io::Error,
    },
    /// This machine, or this user, lacks a feature.
    #[error("{0}")]
    Unavailable(String),
}

impl OsError {
    /// A failed system call.
    pub fn call(what: impl ToString, source: impl Into<io::Error>) -> Self {
        Self::Call { what: what.to_string(), source: source.into() }
    }

    /// A feature that this machine or user lacks.
    pub fn unavailable(message: impl ToString) -> Self {
        Self::Unavailable(message.to_string())
    }

    /// A folder that could not be created.
    pub(crate) fn folder(folder: &Path, source: io::Error) -> Self {
        Self::call(format!("cannot create the folder {}", folder.display()), source)
    }
}
