//! TCP connections; on every target they are those of `std`.

use std::io;
use std::net::{SocketAddrV4, TcpStream};
use std::time::Duration;

use lumos_wire::IO_TIMEOUT_MS;

use crate::error::Error;

/// The longest time that a read or write on a socket may take, from the environment variable
/// [`IO_TIMEOUT_MS`]; `None` means unlimited.
///
/// # Errors
/// When the variable is set and is not a positive number of milliseconds.
pub fn timeout() -> Result<Option<Duration>, Error> {
    let Ok(text) = std::env::var(IO_TIMEOUT_MS) else { return Ok(None) };
    match text.parse() {
        Ok(ms) if ms > 0 => Ok(Some(Duration::from_millis(ms))),
        _ => Err(Error::new(format!(
            "{IO_TIMEOUT_MS} is `{text}`: expected a positive number of milliseconds"
        ))),
    }
}

/// Connects to `address`. Reads and writes on the connection fail after `timeout`.
///
/// # Errors
/// When the connection cannot be opened.
pub fn connect(address: SocketAddrV4, timeout: Option<Duration>) -> Result<TcpStream, Error> {
    open(address, timeout).map_err(|error| io_error(&format!("connect to {address}"), &error))
}

/// An error whose message begins with `timed out` if and only if the time limit was exceeded.
pub fn io_error(step: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            Error::new(format!("timed out: {step}"))
        }
        _ => Error::new(format!("{step}: {error}")),
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
    // Not every preview 2 host supports these options. Such a host stops a blocked guest itself.
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(timeout);
    let _ = stream.set_write_timeout(timeout);
    Ok(stream)
}

#[cfg(all(target_os = "wasi", target_env = "p1"))]
use crate::wasmedge_socket::open;
