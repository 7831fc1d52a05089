//! What came of each request.

use sha2::{Digest, Sha256};

/// How a request ended. Each has exactly one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// It was answered with a status of 200 to 299.
    Ok,
    /// It was answered with another status.
    Status,
    /// No complete response within the timeout.
    Timeout,
    /// No connection could be made for it.
    Connect,
    /// The connection broke.
    Reset,
    /// The server closed the connection before the response was complete.
    Closed,
    /// The answer was no HTTP/1 response.
    Malformed,
    /// The client left right after it had sent the request, as it was asked to.
    Disconnected,
    /// The load was stopped while it waited.
    Cancelled,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 9] = [
        Outcome::Ok,
        Outcome::Status,
        Outcome::Timeout,
        Outcome::Connect,
        Outcome::Reset,
        Outcome::Closed,
        Outcome::Malformed,
        Outcome::Disconnected,
        Outcome::Cancelled,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Status => "status",
            Outcome::Timeout => "timeout",
            Outcome::Connect => "connect",
            Outcome::Reset => "reset",
            Outcome::Closed => "closed",
            Outcome::Malformed => "malformed",
            Outcome::Disconnected => "disconnected",
            Outcome::Cancelled => "cancelled",
        }
    }

    /// Whether a complete response came.
    pub const fn is_answered(self) -> bool {
        matches!(self, Outcome::Ok | Outcome::Status)
    }

    /// Whether the server or the network did not do what was asked.
    pub const fn is_failure(self) -> bool {
        !matches!(self, Outcome::Ok | Outcome::Disconnected | Outcome::Cancelled)
    }
}

/// One request. Times are nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number, from 0, in the order of the intended times.
    pub seq: u64,
    /// When it was to be sent.
    pub intended_ns: u64,
    /// When it was sent; `None`: it never was.
    pub sent_ns: Option<u64>,
    /// When its outcome was there: with an answer the time at which the last byte was read.
    pub ended_ns: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The status of a complete response.
    pub status: Option<u16>,
    /// Length of a complete response's body.
    pub body_bytes: u64,
    /// SHA-256 of a complete response's body, if it was asked for.
    pub body_sha256: Option<[u8; 32]>,
}

/// Hashes bodies; one that is the same as the last costs a comparison.
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
