//! Reads responses from bytes as they arrive (RFC 9112, sections 4 to 7).

use std::mem::MaybeUninit;

use super::chunked::Chunked;
use super::malformed::Malformed;

/// The most bytes in the head of a response.
const HEAD: usize = 64 << 10;
/// The most header fields in a response.
const FIELDS: usize = 100;

/// The state of a response after some more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is incomplete.
    More,
    /// It is complete.
    Complete {
        /// Whether unrequested bytes follow it.
        surplus: bool,
    },
}

/// What to do with the bodies of responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bodies {
    /// Count their bytes.
    Count,
    /// Keep each until the next response.
    Keep,
}

/// What is expected next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Head,
    /// This many bytes of the body.
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    Done,
}

/// Reads one response after another. Allocates nothing for a response whose head arrives in one
/// piece, unless bodies are kept.
#[derive(Debug)]
pub struct ResponseReader {
    bodies: Bodies,
    /// Whether requests are `HEAD`: their responses have no body, whatever their headers say.
    never_body: bool,
    phase: Phase,
    /// The beginning of a head that arrives in several pieces.
    head: Vec<u8>,
    status: u16,
    keep_alive: bool,
    body_bytes: u64,
    body: Vec<u8>,
}

impl ResponseReader {
    /// A reader of responses to requests with this method.
    pub fn new(method: &http::Method, bodies: Bodies) -> Self {
        Self {
            bodies,
            never_body: method == http::Method::HEAD,
            phase: Phase::Head,
            head: Vec::new(),
            status: 0,
            keep_alive: true,
            body_bytes: 0,
            body: Vec::new(),
        }
    }

    /// Prepares for the next response.
    pub fn reset(&mut self) {
        self.phase = Phase::Head;
        self.head.clear();
        (self.status, self.body_bytes, self.keep_alive) = (0, 0, true);
        self.body.clear();
    }

    /// The status; 0 until the head is complete.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Whether the connection may be reused.
    pub const fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// Bytes of the body so far, without framing.
    pub const fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    /// The body so far; empty if bodies are not kept.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether the response is complete if the server closes the connection now.
    pub fn is_complete_at_close(&self) -> bool {
        self.phase == Phase::UntilClose
    }

    /// Reads the next bytes.
    ///
    /// # Errors
    /// When they are not a response.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Progress, Malformed> {
        if self.phase != Phase::Head {
            return self.feed_body(bytes);
        }
        if self.head.is_empty() {
            return match self.feed_head(bytes)? {
                Some(rest) => self.feed_body(rest),
                None => {
                    self.head.extend_from_slice(bytes);
                    self.check_head_length()
                }
            };
        }
        let mut head = std::mem::take(&mut self.head);
        head.extend_from_slice(bytes);
        let progress = match self.feed_head(&head)? {
            Some(rest) => {
                let progress = self.feed_body(rest);
                head.clear();
                progress
            }
            None => Ok(Progress::More),
        };
        self.head = head;
        self.check_head_length()?;
        progress
    }

    fn check_head_length(&self) -> Result<Progress, Malformed> {
        if self.head.len() > HEAD {
            return Err(Malformed("the head is longer than 64 KiB"));
        }
        Ok(Progress::More)
    }

    /// Reads heads up to that of the final response and returns the bytes after it; `None` if
    /// it is incomplete.
    fn feed_head<'b>(&mut self, mut bytes: &'b [u8]) -> Result<Option<&'b [u8]>, Malformed> {
        loop {
            let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
            let mut response = httparse::Response::new(&mut []);
            let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
                &mut response,
                bytes,
                &mut fields,
            )?;
            let httparse::Status::Complete(length) = parsed else { return Ok(None) };
            bytes = &bytes[length..];
            let status = response.code.unwrap_or(0);
            match status {
                101 => return Err(Malformed("it switches to another protocol")),
                100..=199 => {}
                200.. => {
                    self.status = status;
                    self.read_fields(&response)?;
                    return Ok(Some(bytes));
                }
                _ => return Err(Malformed("the status is below 100")),
            }
        }
    }

    /// Finds the length of the body (RFC 9112, section 6.3) and whether the connection stays
    /// open.
    fn read_fields(&mut self, response: &httparse::Response<'_, '_>) -> Result<(), Malformed> {
        let mut length = None;
        let mut chunked = None;
        self.keep_alive = response.version == Some(1);
        for field in response.headers.iter() {
            let is = |name: &str| field.name.eq_ignore_ascii_case(name);
            if is("content-length") {
                let value = content_length(field.value)?;
                if length.replace(value).is_some_and(|other| other != value) {
                    return Err(Malformed("it has two different content-lengths"));
                }
            } else if is("transfer-encoding") {
                let last = field.value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
                chunked = Some(last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
            } else if is("connection") {
                self.read_connection(field.value);
            }
        }
        self.phase = match (chunked, length) {
            _ if self.never_body || matches!(self.status, 204 | 304) => Phase::Done,
            (Some(true), _) => Phase::Chunked(Chunked::START),
            (None, Some(0)) => Phase::Done,
            (None, Some(length)) => Phase::Length(length),
            (Some(false), _) | (None, None) => Phase::UntilClose,
        };
        self.keep_alive &= self.phase != Phase::UntilClose;
        Ok(())
    }

    fn read_connection(&mut self, value: &[u8]) {
        for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if option.eq_ignore_ascii_case(b"close") {
                self.keep_alive = false;
            } else if option.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            }
        }
    }

    fn feed_body(&mut self, bytes: &[u8]) -> Result<Progress, Malformed> {
        let Self { phase, body, body_bytes, bodies, .. } = self;
        let mut data = |bytes: &[u8]| {
            *body_bytes += bytes.len() as u64;
            if *bodies == Bodies::Keep {
                body.extend_from_slice(bytes);
            }
        };
        let taken = match phase {
            Phase::Head | Phase::Done => 0,
            Phase::UntilClose => {
                data(bytes);
                bytes.len()
            }
            Phase::Length(left) => {
                let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                data(&bytes[..taken]);
                *left -= taken as u64;
                if *left == 0 {
                    *phase = Phase::Done;
                }
                taken
            }
            Phase::Chunked(chunked) => {
                let taken = chunked.feed(bytes, data)?;
                if *chunked == Chunked::Done {
                    *phase = Phase::Done;
                }
                taken
            }
        };
        Ok(match phase {
            Phase::Done => Progress::Complete { surplus: taken < bytes.len() },
            _ => Progress::More,
        })
    }
}

fn content_length(value: &[u8]) -> Result<u64, Malformed> {
    let value = std::str::from_utf8(value).unwrap_or_default();
    value.trim().parse().map_err(|_| Malformed("the content-length is not a number"))
}
