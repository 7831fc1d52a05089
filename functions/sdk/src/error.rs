//! Why an invocation has no output.

use std::fmt::{self, Display};

use lumos_wire::Status;

/// A message for the caller.
///
/// Any error turns into one with `?`; like `anyhow::Error`, and for the same reason,
/// it is not an [`std::error::Error`] itself.
#[derive(Debug)]
pub struct Error {
    message: String,
    is_bad_request: bool,
}

impl Error {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_bad_request: false }
    }

    /// The request is wrong, and would be wrong next time: what it says, or the data that it
    /// names. A storage that does not answer is no such error.
    pub fn bad_request(reason: impl Display) -> Self {
        Self { message: reason.to_string(), is_bad_request: true }
    }

    /// The same error, with what was being done in front.
    pub fn context(self, doing: impl Display) -> Self {
        Self { message: format!("{doing}: {}", self.message), ..self }
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the request is to blame.
    pub fn is_bad_request(&self) -> bool {
        self.is_bad_request
    }

    pub(crate) fn status(&self) -> Status {
        if self.is_bad_request { Status::BadRequest } else { Status::Error }
    }

    pub(crate) fn into_message(self) -> String {
        self.message
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        Self::new(error.to_string())
    }
}
