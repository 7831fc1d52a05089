//! The error of an invocation.

use std::fmt::{self, Display};

use lumos_wire::Status;

/// A message for the caller.
///
/// The operator `?` converts any error into this type. Like `anyhow::Error`, and for the same
/// reason, it does not implement [`std::error::Error`].
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

    /// The request itself is wrong, or the data that it names, and will be wrong next time. A
    /// storage that does not respond is not such an error.
    pub fn bad_request(reason: impl Display) -> Self {
        Self { message: reason.to_string(), is_bad_request: true }
    }

    /// The same error, with the failed step in front of the message.
    pub fn context(self, step: impl Display) -> Self {
        Self { message: format!("{step}: {}", self.message), ..self }
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the request is wrong.
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
