//! The bytes of requests.

use std::ops::Range;

use http::{HeaderName, HeaderValue, Method, header};

use super::target::{Target, TargetError};

/// The header that carries a request's number, if requests are numbered.
pub const SEQ_HEADER: &str = "lumos-seq";

/// Digits of the largest number.
const SEQ_WIDTH: usize = 20;

/// The bytes of all requests, which differ only in their number at a fixed place.
#[derive(Clone, Debug)]
pub(super) struct RequestBytes {
    bytes: Vec<u8>,
    seq: Option<Range<usize>>,
}

impl RequestBytes {
    pub(super) fn new(target: &Target, numbered: bool) -> Result<Self, TargetError> {
        let own = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
        if let Some(name) = own.into_iter().find(|name| target.headers.contains_key(name)) {
            return Err(TargetError::Header { name });
        }
        let mut bytes = head(target);
        // Blanks before a value have no meaning (RFC 9110, section 5.5).
        let seq = numbered.then(|| {
            field(&mut bytes, SEQ_HEADER, &[b' '; SEQ_WIDTH]);
            let end = bytes.len() - LINE_END.len();
            end - SEQ_WIDTH..end
        });
        bytes.extend_from_slice(LINE_END);
        bytes.extend_from_slice(&target.body);
        Ok(Self { bytes, seq })
    }

    /// The bytes of the request with this number.
    pub(super) fn of(&mut self, seq: u64) -> &[u8] {
        if let Some(range) = &self.seq {
            let mut rest = Some(seq);
            for place in self.bytes[range.clone()].iter_mut().rev() {
                *place = rest.map_or(b' ', |rest| b'0' + (rest % 10) as u8);
                rest = rest.map(|rest| rest / 10).filter(|rest| *rest > 0);
            }
        }
        &self.bytes
    }
}

const LINE_END: &[u8] = b"\r\n";

/// The request line and all header fields but the number.
fn head(target: &Target) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256 + target.body.len());
    let method = target.method.as_str().as_bytes();
    for part in [method, b" ", target.path.as_str().as_bytes(), b" HTTP/1.1", LINE_END] {
        bytes.extend_from_slice(part);
    }
    let user_agent = concat!("lumos/", env!("CARGO_PKG_VERSION"));
    let defaults: [(HeaderName, &[u8]); 3] = [
        (header::HOST, target.host.as_bytes()),
        (header::USER_AGENT, user_agent.as_bytes()),
        (header::ACCEPT, b"*/*"),
    ];
    for (name, value) in defaults {
        if !target.headers.contains_key(&name) {
            field(&mut bytes, name.as_str(), value);
        }
    }
    for (name, value) in &target.headers {
        field(&mut bytes, name.as_str(), HeaderValue::as_bytes(value));
    }
    let takes_body = [Method::POST, Method::PUT, Method::PATCH].contains(&target.method);
    if takes_body || !target.body.is_empty() {
        field(&mut bytes, "content-length", target.body.len().to_string().as_bytes());
    }
    bytes
}

fn field(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, LINE_END] {
        bytes.extend_from_slice(part);
    }
}
