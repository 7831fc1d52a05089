//! Where requests are sent.

use std::net::{SocketAddr, ToSocketAddrs};

use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, Method, Uri};

/// A URL to which no load can be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// It is not a URL.
    #[error("`{url}` is not a URL; write for example http://127.0.0.1:8080/noop")]
    Url {
        /// As given.
        url: String,
    },
    /// It needs TLS or another protocol.
    #[error(
        "`{url}` is not an http:// URL; TLS and other protocols are not supported: put a proxy \
         that terminates TLS before the server, or use the server's own address"
    )]
    Scheme {
        /// As given.
        url: String,
    },
    /// The host has no address.
    #[error(
        "cannot find the address of `{host}`: {error}; check the name, or write the address itself"
    )]
    Resolve {
        /// Name and port.
        host: String,
        /// The resolver's error.
        error: std::io::Error,
    },
    /// A header that the generator sets itself.
    #[error("the header {name} is set automatically; leave it out")]
    Header {
        /// Its name.
        name: HeaderName,
    },
}

/// A server and the request to send to it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The server.
    pub addr: SocketAddr,
    /// The value of the header `host`, unless `headers` has one.
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

    /// A GET of `url`, for each address of its host.
    ///
    /// # Errors
    /// When it is not an `http://` URL, or its host has no address.
    pub fn resolve(url: &str) -> Result<Vec<Self>, TargetError> {
        let not_url = || TargetError::Url { url: url.to_owned() };
        let with_scheme =
            if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri: Uri = with_scheme.parse().map_err(|_| not_url())?;
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err(TargetError::Scheme { url: url.to_owned() });
        }
        let authority = uri.authority().ok_or_else(not_url)?;
        let name = authority.host();
        if name.is_empty() || authority.as_str().contains('@') {
            return Err(not_url());
        }
        let port = match (authority.port_u16(), authority.as_str()[name.len()..].is_empty()) {
            (Some(port), _) => port,
            (None, true) => 80,
            (None, false) => return Err(not_url()),
        };
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let host = format!("{name}:{port}");
        let addresses =
            (bare, port).to_socket_addrs().map_err(|error| TargetError::Resolve { host, error })?;
        let path = uri.path_and_query().cloned();
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        let host = authority.as_str();
        let target = |addr| Self { host: host.to_owned(), ..Self::new(addr, path.clone()) };
        Ok(addresses.map(target).collect())
    }
}
