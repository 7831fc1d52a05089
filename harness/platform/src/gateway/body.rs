//! Reads the body of a request, within limits of size and time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

/// Why a body could not be read.
pub(super) enum BodyError {
    TooLong,
    Slow,
    /// The connection broke.
    Broken(hyper::Error),
}

/// The whole body, if it arrives `within` that time and has at most `max_bytes`.
pub(super) async fn read_body(
    body: Incoming,
    max_bytes: u64,
    within: Duration,
) -> Result<Bytes, BodyError> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    // The length that the client has announced; zero for a chunked body.
    if body.size_hint().lower() > max_bytes {
        return Err(BodyError::TooLong);
    }
    tokio::time::timeout(within, collect(body, max_bytes)).await.unwrap_or(Err(BodyError::Slow))
}

async fn collect(mut body: Incoming, max_bytes: u64) -> Result<Bytes, BodyError> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        // Any frame other than data is a trailer, which has no meaning here.
        let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else { continue };
        if (first.len() + all.len() + data.len()) as u64 > max_bytes {
            return Err(BodyError::TooLong);
        }
        if first.is_empty() && all.is_empty() {
            // Most bodies arrive in one piece and need no copy.
            first = data;
        } else {
            if all.is_empty() {
                all.reserve(first.len() + data.len() + body.size_hint().lower() as usize);
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}
