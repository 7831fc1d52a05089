//! TCP connections, which are `std`'s on every target.

use std::io;
use std::net::{SocketAddrV4, TcpStream};
use std::time::Duration;

use lumos_wire::IO_TIMEOUT_MS;

use crate::Error;

/// The longest time that a read or write of a socket may take, from the environment
/// ([`IO_TIMEOUT_MS`]); `None` means for ever.
///
/// # Errors
/// When the variable is set and is not a positive number of milliseconds.
pub fn timeout() -> Result<Option<Duration>, Error> {
    let Ok(text) = std::env::var(IO_TIMEOUT_MS) else { return Ok(None) };
    match text.parse() {
        Ok(ms) if ms > 0 => Ok(Some(Duration::from_millis(ms))),
        _ => Err(Error::new(format!(
            "{IO_TIMEOUT_MS} is `{text}`: a positive number of milliseconds is needed"
        ))),
    }
}

/// Connects to `address`; reads and writes then fail after `timeout`.
///
/// # Errors
/// When nobody listens there.
pub fn connect(address: SocketAddrV4, timeout: Option<Duration>) -> Result<TcpStream, Error> {
    open(address, timeout).map_err(|error| io_error(&format!("connect to {address}"), &error))
}

/// An error's message that begins with `timed out` exactly when time ran out.
pub fn io_error(doing: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            Error::new(format!("timed out: {doing}"))
        }
        _ => Error::new(format!("{doing}: {error}")),
    }
}

#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
fn open(address: SocketAddrV4, timeout: Option<Duration>) -> io::Result<TcpStream> {
    let stream = match timeout {
        Some(timeout) if cfg!(not(target_family = "wasm")) => {
            TcpStream::connect_timeout(&address.into(), timeout)?
        }
        _ => TcpStream::connect(address)?,
    };
    // Preview 2 sockets know neither of these on every host, which then stops a
    // blocked guest itself.
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(timeout);
    let _ = stream.set_write_timeout(timeout);
    Ok(stream)
}

#[cfg(all(target_os = "wasi", target_env = "p1"))]
use crate::wasmedge_socket::open;
