//! Why bytes are not an HTTP/1 response.

/// Bytes that are not an HTTP/1 response, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid HTTP/1 response: {0}")]
pub struct Malformed(pub &'static str);

impl From<httparse::Error> for Malformed {
    fn from(error: httparse::Error) -> Self {
        Malformed(match error {
            httparse::Error::HeaderName => "the name of a header is invalid",
            httparse::Error::HeaderValue => "the value of a header is invalid",
            httparse::Error::NewLine => "the end of a line is invalid",
            httparse::Error::Status => "the status is not a number",
            httparse::Error::TooManyHeaders => "there are more than 100 headers",
            httparse::Error::Version => "it does not begin with HTTP/1.0 or HTTP/1.1",
            _ => "the head cannot be parsed",
        })
    }
}
