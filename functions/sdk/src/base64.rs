//! Binary output in JSON.

use ::base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer};

use crate::Error;

/// Bytes that a JSON output shows as base64 (standard alphabet, padded).
///
/// The encoding happens while the output is serialized, so it counts as `serialize`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base64(pub Vec<u8>);

impl Base64 {
    /// Reads base64 text.
    ///
    /// # Errors
    /// When `text`, which is what somebody asked for, is not base64 of the standard alphabet
    /// with padding: [`Error::is_bad_request`].
    pub fn decode(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        let decoded = STANDARD.decode(text).map(Self);
        decoded.map_err(|error| Error::bad_request(error).context("not base64"))
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}
