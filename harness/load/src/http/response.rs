//! Reads responses from bytes as they come (RFC 9112, sections 4 to 7).

use std::mem::MaybeUninit;

use super::chunked::Chunked;

/// Longest head of a response.
const HEAD: usize = 64 << 10;
/// Most header fields of a response.
const FIELDS: usize = 100;

/// Bytes that are no HTTP/1 response, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no valid HTTP/1 response: {0}")]
pub struct Malformed(pub &'static str);

/// How a response stands after some more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is not complete.
    More,
    /// It is complete.
    Complete {
        /// Bytes came that do not belong to it, as nobody asked for them.
        surplus: bool,
    },
}

/// What the head says of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Head,
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    Done,
}

/// Reads one response after the other. Nothing is allocated for a response whose head comes
/// in one piece, unless its body is to be kept.
#[derive(Debug)]
pub struct ResponseReader {
    /// Whether bodies are kept.
    keeps_body: bool,
    /// Whether requests are `HEAD`, whose responses have no body whatever they say.
    never_body: bool,
    phase: Phase,
    /// The beginning of a head that did not come in one piece.
    head: Vec<u8>,
    status: u16,
    keep_alive: bool,
    body_bytes: u64,
    body: Vec<u8>,
}

impl ResponseReader {
    /// For the responses to requests with this method.
    pub fn new(method: &http::Method, keeps_body: bool) -> Self {
        Self {
            keeps_body,
            never_body: method == http::Method::HEAD,
            phase: Phase::Head,
            head: Vec::new(),
            status: 0,
            keep_alive: true,
            body_bytes: 0,
            body: Vec::new(),
        }
    }

    /// Makes ready for the next response.
    pub fn reset(&mut self) {
        self.phase = Phase::Head;
        self.head.clear();
        (self.status, self.body_bytes, self.keep_alive) = (0, 0, true);
        self.body.clear();
    }

    /// Its status; 0: the head is not complete.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Whether the connection may be used again.
    pub const fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// Bytes of the body so far, without what framed them.
    pub const fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    /// The body so far; empty if bodies are not kept.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Takes what came.
    ///
    /// # Errors
    /// When it is no response.
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

    /// The server has closed the connection: whether that makes the response complete.
    pub fn is_complete_at_close(&self) -> bool {
        self.phase == Phase::UntilClose
    }

    fn check_head_length(&self) -> Result<Progress, Malformed> {
        if self.head.len() > HEAD {
            return Err(Malformed("its head is longer than 64 KiB"));
        }
        Ok(Progress::More)
    }

    /// Reads heads until that of the final response; returns what follows it. `None`: it is
    /// not complete.
    fn feed_head<'b>(&mut self, mut bytes: &'b [u8]) -> Result<Option<&'b [u8]>, Malformed> {
        loop {
            let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
            let mut response = httparse::Response::new(&mut []);
            let parsed = httparse::ParserConfig::default()
                .parse_response_with_uninit_headers(&mut response, bytes, &mut fields)
                .map_err(malformed)?;
            let httparse::Status::Complete(length) = parsed else { return Ok(None) };
            bytes = &bytes[length..];
            let status = response.code.unwrap_or(0);
            match status {
                101 => return Err(Malformed("it switches to another protocol")),
                100..=199 => {}
                200.. => {
                    self.status = status;
                    self.understand(&response)?;
                    return Ok(Some(bytes));
                }
                _ => return Err(Malformed("its status is below 100")),
            }
        }
    }

    /// How long the body is (RFC 9112, section 6.3), and what becomes of the connection.
    fn understand(&mut self, response: &httparse::Response<'_, '_>) -> Result<(), Malformed> {
        let mut length = None;
        let mut chunked = None;
        self.keep_alive = response.version == Some(1);
        for field in response.headers.iter() {
            let is = |name: &str| field.name.eq_ignore_ascii_case(name);
            if is("content-length") {
                let value = std::str::from_utf8(field.value).unwrap_or_default();
                let value = value.trim().parse::<u64>();
                let value = value.map_err(|_| Malformed("its content-length is no number"))?;
                if length.replace(value).is_some_and(|other| other != value) {
                    return Err(Malformed("it has two different content-lengths"));
                }
            } else if is("transfer-encoding") {
                let last = field.value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
                chunked = Some(last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
            } else if is("connection") {
                for option in field.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    if option.eq_ignore_ascii_case(b"close") {
                        self.keep_alive = false;
                    } else if option.eq_ignore_ascii_case(b"keep-alive") {
                        self.keep_alive = true;
                    }
                }
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

    fn feed_body(&mut self, bytes: &[u8]) -> Result<Progress, Malformed> {
        let Self { phase, body, body_bytes, keeps_body, .. } = self;
        let mut data = |bytes: &[u8]| {
            *body_bytes += bytes.len() as u64;
            if *keeps_body {
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

fn malformed(error: httparse::Error) -> Malformed {
    Malformed(match error {
        httparse::Error::HeaderName => "a header's name is wrong",
        httparse::Error::HeaderValue => "a header's value is wrong",
        httparse::Error::NewLine => "a line's end is wrong",
        httparse::Error::Status => "its status is no number",
        httparse::Error::TooManyHeaders => "it has more than 100 headers",
        httparse::Error::Version => "it does not begin with HTTP/1.0 or HTTP/1.1",
        _ => "its head cannot be read",
    })
}
