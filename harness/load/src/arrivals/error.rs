//! Why a description has no arrivals.

use crate::trace::TraceError;

/// A description that gives no arrivals.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrivalError {
    /// A value is out of range.
    #[error("{what} is {value}; {must}")]
    OutOfRange {
        /// The name of the value.
        what: &'static str,
        /// The value.
        value: String,
        /// What it must be.
        must: &'static str,
    },
    /// The trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
}

impl ArrivalError {
    pub(super) fn out_of_range(
        what: &'static str,
        value: impl ToString,
        must: &'static str,
    ) -> Self {
        Self::OutOfRange { what, value: value.to_string(), must }
    }
}
