//! Frames between a host and an instance in its own process.
//!
//! Host to instance (standard input): `u32 length || u8 kind || request`.
//! Instance to host (standard output): `u32 length || reply head || envelope`.
//! All integers are little-endian; `length` counts the bytes after it. Time stamps are nanoseconds
//! of `CLOCK_MONOTONIC`, which all processes of one machine share (clock_gettime(2)), so a host may
//! subtract them from its own.

use std::io::{self, IoSlice, Read, Write};

/// The longest frame that either side accepts, in bytes.
pub const MAX_FRAME: u32 = 256 << 20;

/// What the instance's process must renew before it serves a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RequestKind {
    /// Nothing: the present instance serves the request.
    Invoke = 0,
    /// The instance.
    NewInstance = 1,
    /// The module and the instance.
    NewModule = 2,
    /// Nothing, and the function is not invoked. The reply has no envelope; it reports that the
    /// instance is ready, and how long that took.
    Ready = 3,
}

impl RequestKind {
    fn from_byte(byte: u8) -> io::Result<Self> {
        match byte {
            0 => Ok(Self::Invoke),
            1 => Ok(Self::NewInstance),
            2 => Ok(Self::NewModule),
            3 => Ok(Self::Ready),
            other => Err(invalid(format!("unknown request kind {other}"))),
        }
    }
}

/// The end of the invocation, as the instance's process reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum ReplyOutcome {
    /// An envelope follows; its status may be an error of the function.
    Answered = 0,
    /// The guest trapped; a message follows.
    Trap = 1,
    /// The guest ran out of memory; a message follows.
    OutOfMemory = 2,
    /// The guest exceeded its deadline; a message follows.
    Timeout = 3,
    /// The instance could not be created; a message follows.
    Failed = 4,
}

/// The fixed head of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// How the invocation ended.
    pub outcome: ReplyOutcome,
    /// When the process entered `main`.
    pub entered_ns: u64,
    /// When the instance became ready to serve.
    pub ready_ns: u64,
    /// When the last byte of the request was read.
    pub received_ns: u64,
    /// When the answer was complete, just before it was written.
    pub replied_ns: u64,
    /// Time to load the artifact for this request (0: not loaded).
    pub load_ns: u64,
    /// Time to compile or map code for this request (0: neither).
    pub compile_ns: u64,
    /// Time to instantiate for this request (0: not instantiated).
    pub instantiate_ns: u64,
    /// Time to copy the request into the guest; the guest's own phases are not included.
    pub request_ns: u64,
    /// Time to copy the answer out of the guest.
    pub response_ns: u64,
    /// Size of the guest's linear memory (0: it has none).
    pub memory_bytes: u64,
}

const MAGIC: u64 = u64::from_le_bytes(*b"lumos-1\n");
const FIELDS: usize = 12;
/// Size of the encoded head in bytes.
pub const REPLY_HEAD: usize = FIELDS * 8;

impl Reply {
    /// The encoded head.
    pub fn encode(&self) -> [u8; REPLY_HEAD] {
        let fields: [u64; FIELDS] = [
            MAGIC,
            self.outcome as u64,
            self.entered_ns,
            self.ready_ns,
            self.received_ns,
            self.replied_ns,
            self.load_ns,
            self.compile_ns,
            self.instantiate_ns,
            self.request_ns,
            self.response_ns,
            self.memory_bytes,
        ];
        let mut bytes = [0; REPLY_HEAD];
        for (chunk, field) in bytes.chunks_exact_mut(8).zip(fields) {
            chunk.copy_from_slice(&field.to_le_bytes());
        }
        bytes
    }

    /// Splits a reply frame into its head and the bytes after it.
    ///
    /// # Errors
    /// When the frame does not begin with a head of this version.
    pub fn decode(frame: &[u8]) -> io::Result<(Self, &[u8])> {
        let Some((head, rest)) = frame.split_first_chunk::<REPLY_HEAD>() else {
            return Err(invalid(format!("a reply of {} bytes is too short", frame.len())));
        };
        let mut fields = [0; FIELDS];
        for (field, chunk) in fields.iter_mut().zip(head.chunks_exact(8)) {
            *field = u64::from_le_bytes(chunk.try_into().expect("chunks of eight bytes"));
        }
        let [
            magic,
            outcome,
            entered_ns,
            ready_ns,
            received_ns,
            replied_ns,
            load_ns,
            compile_ns,
            instantiate_ns,
            request_ns,
            response_ns,
            memory_bytes,
        ] = fields;
        if magic != MAGIC {
            return Err(invalid("the process does not speak the instance protocol".to_owned()));
        }
        let outcome = match outcome {
            0 => ReplyOutcome::Answered,
            1 => ReplyOutcome::Trap,
            2 => ReplyOutcome::OutOfMemory,
            3 => ReplyOutcome::Timeout,
            4 => ReplyOutcome::Failed,
            other => return Err(invalid(format!("unknown reply outcome {other}"))),
        };
        let reply = Self {
            outcome,
            entered_ns,
            ready_ns,
            received_ns,
            replied_ns,
            load_ns,
            compile_ns,
            instantiate_ns,
            request_ns,
            response_ns,
            memory_bytes,
        };
        Ok((reply, rest))
    }
}

/// The head of a request frame; a request of `request_bytes` bytes follows it.
pub fn request_head(kind: RequestKind, request_bytes: u32) -> [u8; 5] {
    let mut head = [0; 5];
    head[..4].copy_from_slice(&(request_bytes + 1).to_le_bytes());
    head[4] = kind as u8;
    head
}

/// Reads one request into `request`, which it clears first. Returns `None` at the end of the
/// stream.
///
/// # Errors
/// When the stream fails, ends inside a frame, or contains something other than frames.
pub fn read_request(
    from: &mut impl Read,
    request: &mut Vec<u8>,
) -> io::Result<Option<RequestKind>> {
    let Some(length) = read_length(from)? else { return Ok(None) };
    if length == 0 {
        return Err(invalid("a request frame without a kind".to_owned()));
    }
    let mut kind = [0];
    from.read_exact(&mut kind)?;
    request.clear();
    request.resize(length as usize - 1, 0);
    from.read_exact(request)?;
    RequestKind::from_byte(kind[0]).map(Some)
}

/// Writes one reply: `head`, then `rest`.
///
/// # Errors
/// When the stream fails.
pub fn write_reply(to: &mut impl Write, head: &Reply, rest: &[u8]) -> io::Result<()> {
    let length = u32::try_from(REPLY_HEAD + rest.len())
        .ok()
        .filter(|length| *length <= MAX_FRAME)
        .ok_or_else(|| {
            invalid(format!("an answer of {} bytes is too long for a frame", rest.len()))
        })?;
    let mut first = [0; 4 + REPLY_HEAD];
    first[..4].copy_from_slice(&length.to_le_bytes());
    first[4..].copy_from_slice(&head.encode());
    // One system call for both, if the stream allows it, so that the reader wakes up once.
    let mut slices = [IoSlice::new(&first), IoSlice::new(rest)];
    let mut left = &mut slices[..];
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match to.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    to.flush()
}

fn read_length(from: &mut impl Read) -> io::Result<Option<u32>> {
    let mut length = [0; 4];
    let mut filled = 0;
    while filled < length.len() {
        match from.read(&mut length[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_FRAME {
        return Err(invalid(format!("a frame of {length} bytes is longer than {MAX_FRAME}")));
    }
    Ok(Some(length))
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply() -> Reply {
        Reply {
            outcome: ReplyOutcome::Trap,
            entered_ns: 1,
            ready_ns: 2,
            received_ns: 3,
            replied_ns: 4,
            load_ns: 5,
            compile_ns: 6,
            instantiate_ns: 7,
            request_ns: 8,
            response_ns: 9,
            memory_bytes: 10,
        }
    }

    #[test]
    fn reads_back_requests() {
        let mut stream = Vec::new();
        for (kind, request) in [(RequestKind::Invoke, &b"{}"[..]), (RequestKind::NewModule, b"")] {
            stream.extend_from_slice(&request_head(kind, request.len() as u32));
            stream.extend_from_slice(request);
        }
        let mut from = &stream[..];
        let mut request = Vec::new();
        assert_eq!(read_request(&mut from, &mut request).unwrap(), Some(RequestKind::Invoke));
        assert_eq!(request, b"{}");
        assert_eq!(read_request(&mut from, &mut request).unwrap(), Some(RequestKind::NewModule));
        assert!(request.is_empty());
        assert_eq!(read_request(&mut from, &mut request).unwrap(), None);
    }

    #[test]
    fn rejects_a_stream_that_ends_inside_a_frame() {
        let head = request_head(RequestKind::Invoke, 9);
        for end in 1..head.len() {
            assert!(read_request(&mut &head[..end], &mut Vec::new()).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn reads_back_replies() {
        let mut stream = Vec::new();
        write_reply(&mut stream, &reply(), b"envelope").unwrap();
        let (length, frame) = stream.split_first_chunk::<4>().unwrap();
        assert_eq!(u32::from_le_bytes(*length) as usize, frame.len());
        assert_eq!(Reply::decode(frame).unwrap(), (reply(), &b"envelope"[..]));
    }

    #[test]
    fn rejects_malformed_frames() {
        assert!(Reply::decode(b"hello").is_err());
        assert!(Reply::decode(&[b'x'; REPLY_HEAD]).is_err());
        let too_long = (MAX_FRAME + 1).to_le_bytes();
        assert!(read_request(&mut &too_long[..], &mut Vec::new()).is_err());
    }
}
