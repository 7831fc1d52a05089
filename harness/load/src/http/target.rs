//! Where requests go, and their bytes.

use std::net::{SocketAddr, ToSocketAddrs};
use std::ops::Range;

use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

/// The header that carries a request's number when it is asked for.
pub const SEQ_HEADER: &str = "lumos-seq";

/// A URL to which no load can be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// It is no URL.
    #[error("`{url}` is no URL; write for example http://127.0.0.1:8080/noop")]
    Url {
        /// As it was written.
        url: String,
    },
    /// It wants TLS or another protocol.
    #[error(
        "`{url}` is no http:// URL; TLS and other protocols are not spoken here: \
        put a proxy that ends TLS before the server, or ask the server itself"
    )]
    Scheme {
        /// As it was written.
        url: String,
    },
    /// The host has no address.
    #[error(
        "cannot find the address of `{host}`: {error}; check the name, or write the \
        address itself"
    )]
    Resolve {
        /// Name and port.
        host: String,
        /// What the resolver says.
        error: std::io::Error,
    },
    /// A header that the generator writes by itself.
    #[error("the header {name} follows from the request; leave it out")]
    Header {
        /// Which.
        name: HeaderName,
    },
}

/// What is sent, and where to.
#[derive(Clone, Debug)]
pub struct Target {
    /// The server.
    pub addr: SocketAddr,
    /// The value of the header `host`, if `headers` has none.
    pub host: String,
    /// Path and query.
    pub path: PathAndQuery,
    /// The method.
    pub method: Method,
    /// Further headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Target {
    /// A GET of `path` from `addr`.
    pub fn new(addr: SocketAddr, path: PathAndQuery) -> Self {
        let (method, headers) = (Method::GET, HeaderMap::new());
        Self { addr, host: addr.to_string(), path, method, headers, body: Vec::new() }
    }

    /// A GET of `url`, for each address that its host has.
    ///
    /// # Errors
    /// When it is no `http://` URL or its host has no address.
    pub fn resolve(url: &str) -> Result<Vec<Self>, TargetError> {
        let no_url = || TargetError::Url { url: url.to_owned() };
        let with_scheme =
            if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri: Uri = with_scheme.parse().map_err(|_| no_url())?;
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err(TargetError::Scheme { url: url.to_owned() });
        }
        let authority = uri.authority().ok_or_else(no_url)?;
        let name = authority.host();
        if name.is_empty() || authority.as_str().contains('@') {
            return Err(no_url());
        }
        let port = match (authority.port_u16(), authority.as_str()[name.len()..].is_empty()) {
            (Some(port), _) => port,
            (None, true) => 80,
            (None, false) => return Err(no_url()),
        };
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let host = format!("{name}:{port}");
        let addresses: Vec<_> = (bare, port)
            .to_socket_addrs()
            .map_err(|error| TargetError::Resolve { host, error })?
            .collect();
        let path = uri.path_and_query().cloned();
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        let with = |addr| {
            let host = authority.as_str().to_owned();
            Self { host, ..Self::new(addr, path.clone()) }
        };
        Ok(addresses.into_iter().map(with).collect())
    }
}

/// The bytes of all requests: they differ in their number only, which has a fixed place.
#[derive(Clone, Debug)]
pub(super) struct RequestBytes {
    bytes: Vec<u8>,
    seq: Option<Range<usize>>,
}

/// As wide as the largest number.
const SEQ_WIDTH: usize = 20;

impl RequestBytes {
    pub(super) fn new(target: &Target, numbered: bool) -> Result<Self, TargetError> {
        let own = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
        if let Some(name) = own.into_iter().find(|name| target.headers.contains_key(name)) {
            return Err(TargetError::Header { name });
        }
        let mut bytes = Vec::with_capacity(256 + target.body.len());
        let mut line = |parts: &[&[u8]]| {
            parts.iter().for_each(|part| bytes.extend_from_slice(part));
            bytes.extend_from_slice(b"\r\n");
            bytes.len() - 2
        };
        line(&[
            target.method.as_str().as_bytes(),
            b" ",
            target.path.as_str().as_bytes(),
            b" HTTP/1.1",
        ]);
        let mut field = |name: &str, value: &[u8]| line(&[name.as_bytes(), b": ", value]);
        let missing = |name: &HeaderName| !target.headers.contains_key(name);
        if missing(&header::HOST) {
            field("host", target.host.as_bytes());
        }
        if missing(&header::USER_AGENT) {
            field("user-agent", concat!("lumos/", env!("CARGO_PKG_VERSION")).as_bytes());
        }
        if missing(&header::ACCEPT) {
            field("accept", b"*/*");
        }
        for (name, value) in &target.headers {
            field(name.as_str(), HeaderValue::as_bytes(value));
        }
        let takes_body = [Method::POST, Method::PUT, Method::PATCH].contains(&target.method);
        if takes_body || !target.body.is_empty() {
            field("content-length", target.body.len().to_string().as_bytes());
        }
        // Blanks before a value mean nothing (RFC 9110, section 5.5).
        let seq = numbered.then(|| {
            let end = field(SEQ_HEADER, &[b' '; SEQ_WIDTH]);
            end - SEQ_WIDTH..end
        });
        line(&[]);
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
