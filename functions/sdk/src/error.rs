//! Why an invocation has no output.

use std::fmt::{self, Display};

/// A message for the caller.
///
/// Any error turns into one with `?`; like `anyhow::Error`, and for the same reason,
/// it is not an [`std::error::Error`] itself.
#[derive(Debug)]
pub struct Error(String);

impl Error {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The same error, with what was being done in front.
    pub fn context(self, doing: impl Display) -> Self {
        Self(format!("{doing}: {}", self.0))
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_message(self) -> String {
        self.0
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}
