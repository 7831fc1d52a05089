//! The answer of a function: `body || guest phases || status`.
//!
//! The status is the last byte, so that a host can read it without decoding the rest. With
//! [`Status::Error`] and [`Status::BadRequest`], the body is a message for people, in UTF-8.

use crate::phases::GuestPhases;

/// The result of the invocation, as the function reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// The body is the function's output.
    Ok = 0,
    /// The function failed; the body is the error message.
    Error = 1,
    /// The request itself is wrong: it cannot be decoded, or the function rejects its input. The
    /// same request will always fail. The body says what is wrong.
    BadRequest = 2,
}

/// A decoded answer, which borrows the encoded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The output or the error message.
    pub body: &'a [u8],
    /// Time spent in each guest phase.
    pub phases: GuestPhases,
    /// Whether `body` is an output or an error message.
    pub status: Status,
}

/// The bytes are not an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvelopeError {
    /// There are fewer bytes than the trailer needs.
    Short(usize),
    /// The status byte is unknown.
    Status(u8),
}

impl std::fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short(bytes) => write!(
                f,
                "the answer has {bytes} bytes, fewer than the {TRAILER} of its trailer: \
                 was this artifact built with the lumos function SDK?"
            ),
            Self::Status(status) => write!(f, "the answer ends with the unknown status {status}"),
        }
    }
}

impl std::error::Error for EnvelopeError {}

/// Number of bytes after the body.
pub const TRAILER: usize = GuestPhases::BYTES + 1;

/// Turns `body` into an envelope in place.
pub fn seal(body: &mut Vec<u8>, phases: &GuestPhases, status: Status) {
    body.reserve_exact(TRAILER);
    body.extend_from_slice(&phases.encode());
    body.push(status as u8);
}

/// Decodes an envelope.
///
/// # Errors
/// When `bytes` are too few or end with an unknown status.
pub fn open(bytes: &[u8]) -> Result<Envelope<'_>, EnvelopeError> {
    let Some((&status, rest)) = bytes.split_last() else {
        return Err(EnvelopeError::Short(0));
    };
    let Some((body, trailer)) = rest.split_last_chunk::<{ GuestPhases::BYTES }>() else {
        return Err(EnvelopeError::Short(bytes.len()));
    };
    let status = match status {
        0 => Status::Ok,
        1 => Status::Error,
        2 => Status::BadRequest,
        other => return Err(EnvelopeError::Status(other)),
    };
    Ok(Envelope { body, phases: GuestPhases::decode(trailer), status })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phases::GuestPhase;

    #[test]
    fn opens_what_it_seals() {
        let mut phases = GuestPhases::default();
        phases.add(GuestPhase::Compute, 7);
        phases.add(GuestPhase::Serialize, u64::MAX);
        let bodies = [&b""[..], b"x", b"a longer body"];
        let statuses = [Status::Ok, Status::Error, Status::BadRequest];
        for (body, status) in bodies.into_iter().zip(statuses) {
            let mut bytes = body.to_vec();
            seal(&mut bytes, &phases, status);
            let envelope = open(&bytes).expect("sealed");
            assert_eq!((envelope.body, envelope.phases, envelope.status), (body, phases, status));
        }
    }

    #[test]
    fn rejects_malformed_envelopes() {
        assert_eq!(open(b""), Err(EnvelopeError::Short(0)));
        assert_eq!(open(&[0; TRAILER - 1]), Err(EnvelopeError::Short(TRAILER - 1)));
        assert_eq!(open(&[9; TRAILER]), Err(EnvelopeError::Status(9)));
    }
}
