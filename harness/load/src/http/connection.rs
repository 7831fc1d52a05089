//! One connection and the request on it.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;

use super::malformed::Malformed;
use super::response::{Progress, ResponseReader};

/// A request that has not ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) seq: u64,
    pub(super) client: u32,
    pub(super) intended_ns: u64,
    pub(super) sent_ns: Option<u64>,
}

/// The state of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    /// There is no connection.
    Vacant,
    /// It is being made since then.
    Connecting { since_ns: u64 },
    /// It can carry a request.
    Idle,
    /// It carries this request.
    Busy(Request),
}

/// Whether the server may send more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Open,
    /// The server has closed its side, or the connection is broken.
    Closed,
}

/// The result of reading.
#[derive(Debug)]
pub(super) enum Reading {
    /// There is nothing more for now.
    Blocked,
    /// The response is complete.
    Complete { reusable: bool },
    /// The server closed the connection.
    Closed,
    /// The connection broke.
    Broken(io::Error),
    /// The bytes are not a response.
    Malformed(Malformed),
}

#[derive(Debug)]
pub(super) struct Connection {
    stream: Option<TcpStream>,
    pub(super) state: State,
    unsent: Unsent,
    pub(super) response: ResponseReader,
}

/// The part of a request that the socket did not take at once.
#[derive(Debug, Default)]
struct Unsent {
    bytes: Vec<u8>,
    /// How much of it has been written since.
    written: usize,
}

impl Connection {
    pub(super) fn vacant(response: ResponseReader) -> Self {
        Self { stream: None, state: State::Vacant, unsent: Unsent::default(), response }
    }

    pub(super) fn connecting(&mut self, stream: TcpStream, since_ns: u64) {
        self.stream = Some(stream);
        self.state = State::Connecting { since_ns };
        self.unsent = Unsent::default();
        self.response.reset();
    }

    /// Whether the connection is made; `None` while it is not known.
    pub(super) fn connected(&self) -> Option<io::Result<()>> {
        let stream = self.stream.as_ref()?;
        match stream.take_error() {
            Ok(Some(error)) | Err(error) => return Some(Err(error)),
            Ok(None) => {}
        }
        match stream.peer_addr() {
            Ok(_) => Some(stream.set_nodelay(true)),
            Err(error) if error.kind() == ErrorKind::NotConnected => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// Sends `bytes`, in one piece if the socket takes them.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.response.reset();
        self.unsent.bytes.clear();
        self.unsent.written = 0;
        let written = write(self.stream.as_mut(), bytes)?;
        if written < bytes.len() {
            self.unsent.bytes.extend_from_slice(&bytes[written..]);
            self.send_rest()?;
        }
        Ok(())
    }

    /// Sends the rest of the request until the socket takes no more: only then will the poll
    /// report that it is writable again.
    pub(super) fn send_rest(&mut self) -> io::Result<()> {
        let Unsent { bytes, written } = &mut self.unsent;
        while *written < bytes.len() {
            match write(self.stream.as_mut(), &bytes[*written..])? {
                0 => break,
                length => *written += length,
            }
        }
        Ok(())
    }

    /// Reads the available bytes through `buffer` and adds their number to `count`. From a
    /// [`Peer::Closed`], a short read is not the end.
    ///
    /// With edge-triggered notifications, a read that does not fill the buffer has emptied the
    /// socket (epoll(7)); later bytes cause a new notification.
    pub(super) fn read(&mut self, buffer: &mut [u8], peer: Peer, count: &mut u64) -> Reading {
        let Some(stream) = self.stream.as_mut() else { return Reading::Blocked };
        let is_open = peer == Peer::Open;
        loop {
            let length = match stream.read(buffer) {
                Ok(0) if self.response.is_complete_at_close() => {
                    return Reading::Complete { reusable: false };
                }
                Ok(0) => return Reading::Closed,
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Reading::Blocked,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Reading::Broken(error),
            };
            *count += length as u64;
            if !matches!(self.state, State::Busy(_)) {
                return Reading::Malformed(Malformed("it was sent without a request"));
            }
            match self.response.feed(&buffer[..length]) {
                Ok(Progress::Complete { surplus }) => {
                    let drained = is_open && (length < buffer.len() || is_drained(stream));
                    let sent = self.unsent.written == self.unsent.bytes.len();
                    let reusable = drained && !surplus && sent && self.response.keep_alive();
                    return Reading::Complete { reusable };
                }
                Ok(Progress::More) if length < buffer.len() && is_open => {
                    return Reading::Blocked;
                }
                Ok(Progress::More) => {}
                Err(malformed) => return Reading::Malformed(malformed),
            }
        }
    }

    /// Ends the connection. The stream is returned so that it is closed only after it has been
    /// removed from the poll.
    pub(super) fn close(&mut self) -> Option<TcpStream> {
        self.state = State::Vacant;
        self.stream.take()
    }
}

/// Whether there is nothing to read, neither bytes nor the end.
fn is_drained(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// The number of bytes written; 0 if the socket takes none now.
fn write(stream: Option<&mut TcpStream>, bytes: &[u8]) -> io::Result<usize> {
    let stream = stream.ok_or(ErrorKind::NotConnected)?;
    loop {
        match stream.write(bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
