//! The outcome of each request.

use sha2::{Digest, Sha256};

lumos_model::words! {
    /// How a request ended. Each request has exactly one outcome.
    Outcome, "outcome" {
        /// A response with a status of 200 to 299.
        Ok = "ok",
        /// A response with another status.
        Status = "status",
        /// No complete response within the timeout.
        Timeout = "timeout",
        /// No connection could be made for it.
        Connect = "connect",
        /// The connection broke.
        Reset = "reset",
        /// The server closed the connection before the response was complete.
        Closed = "closed",
        /// The answer was not an HTTP/1 response.
        Malformed = "malformed",
        /// The client disconnected right after sending, as asked.
        Disconnected = "disconnected",
        /// The load was stopped while the request was in flight.
        Cancelled = "cancelled",
    }
}

impl Outcome {
    /// Whether there was a complete response.
    pub const fn is_answered(self) -> bool {
        matches!(self, Outcome::Ok | Outcome::Status)
    }

    /// Whether the server or the network failed the request.
    pub const fn is_failure(self) -> bool {
        !matches!(self, Outcome::Ok | Outcome::Disconnected | Outcome::Cancelled)
    }
}

/// One request. Times are nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number, from 0, in the order of intended times.
    pub seq: u64,
    /// When it was due.
    pub intended_ns: u64,
    /// When it was sent; `None` if it never was.
    pub sent_ns: Option<u64>,
    /// When it ended: for a response, when its last byte was read.
    pub ended_ns: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The status of a complete response.
    pub status: Option<u16>,
    /// The length of a complete response's body.
    pub body_bytes: u64,
    /// The SHA-256 of a complete response's body, if bodies are hashed.
    pub body_sha256: Option<[u8; 32]>,
}

/// Hashes bodies. A body that equals the last one costs only a comparison.
#[derive(Clone, Debug, Default)]
pub(super) struct Hasher {
    last: Option<(Vec<u8>, [u8; 32])>,
}

impl Hasher {
    pub(super) fn hash(&mut self, body: &[u8]) -> [u8; 32] {
        match &self.last {
            Some((last, hash)) if last == body => *hash,
            _ => {
                let hash = Sha256::digest(body).into();
                self.last = Some((body.to_owned(), hash));
                hash
            }
        }
    }
}
