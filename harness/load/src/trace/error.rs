//! Why a trace cannot be used.

use std::path::Path;

/// A trace that cannot be used, with the place of the mistake.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The file cannot be opened.
    #[error("cannot open the trace {file}: {error}")]
    Open {
        /// Its path.
        file: String,
        /// The cause.
        error: std::io::Error,
    },
    /// A line is wrong.
    #[error("{file}:{line}: {what}")]
    Line {
        /// Its path.
        file: String,
        /// The line number, from 1.
        line: u64,
        /// What is wrong, and what is expected.
        what: String,
    },
    /// The function matches no row, or rows of several functions.
    #[error("{file}: {what}")]
    Function {
        /// Its path.
        file: String,
        /// What was searched for, and what was found.
        what: String,
    },
}

impl TraceError {
    pub(super) fn function(file: &Path, what: String) -> Self {
        Self::Function { file: file.display().to_string(), what }
    }
}
