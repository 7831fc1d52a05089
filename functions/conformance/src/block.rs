//! Reading from a socket that never answers.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::SocketAddrV4;

use lumos_function::{Error, redis, socket};

/// `BLPOP` with timeout 0 waits forever, and no other client uses this list.
const WAIT_FOREVER: &[u8] =
    b"*3\r\n$5\r\nBLPOP\r\n$27\r\nlumos:conformance:nobody:ok\r\n$1\r\n0\r\n";

/// Reads from a silent peer. It returns only if the peer sends data or disconnects, or if the
/// socket's own time limit expires.
pub fn block(silent: Option<SocketAddrV4>) -> Result<Infallible, Error> {
    let step = "read from a silent peer";
    let timeout = socket::timeout()?;
    let mut stream = match silent {
        Some(address) => socket::connect(address, timeout)?,
        None => {
            let mut stream = socket::connect(redis::address()?, timeout)?;
            stream.write_all(WAIT_FOREVER)?;
            stream
        }
    };
    match stream.read(&mut [0]) {
        Ok(0) => Err(Error::new(format!("{step}: it closed the connection"))),
        Ok(_) => Err(Error::new(format!("{step}: it sent data"))),
        Err(error) => Err(socket::io_error(step, &error)),
    }
}
