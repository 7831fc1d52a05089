//! A list in both forms of output.

use serde_json::Value;

/// A list, for people and for programs.
pub(super) struct Listing {
    pub(super) text: String,
    pub(super) json: Value,
}
