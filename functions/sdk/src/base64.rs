//! Binary output in JSON.

use ::base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer};

use crate::error::Error;

/// Bytes that are base64 in a JSON output (standard alphabet, padded).
///
/// They are encoded while the output is serialised, which counts as `serialize`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base64(pub Vec<u8>);

impl Base64 {
    /// Decodes base64 text, which is part of a request.
    ///
    /// # Errors
    /// A [bad request](Error::is_bad_request), if `text` is not base64 of the standard alphabet
    /// with padding.
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
