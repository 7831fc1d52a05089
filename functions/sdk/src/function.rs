//! The trait that a function implements.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::error::Error;

/// A serverless function.
pub trait Function {
    /// The request, decoded from JSON.
    type Request: DeserializeOwned;
    /// The response, encoded as JSON.
    type Output: Serialize;

    /// Serves one request.
    ///
    /// # Errors
    /// When the function cannot produce an output; the caller receives the message.
    fn run(request: Self::Request, cx: &mut Context) -> Result<Self::Output, Error>;
}
