//! One connection and the request that is on it.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;

use super::response::{Progress, ResponseReader};

/// A request on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) seq: u64,
    pub(super) client: u32,
    pub(super) intended_ns: u64,
    pub(super) sent_ns: Option<u64>,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    /// There is none.
    Vacant,
    /// Being made since then.
    Connecting { since_ns: u64 },
    /// It could carry a request.
    Idle,
    /// It carries one.
    Busy(Request),
}

/// What became of reading.
#[derive(Debug)]
pub(super) enum Reading {
    /// Nothing more for now.
    Blocked,
    /// The response is complete; whether the connection may be used again.
    Complete { reusable: bool },
    /// The server closed the connection.
    Closed,
    /// The connection broke.
    Broken(io::Error),
    /// What came was no response.
    Malformed(&'static str),
}

#[derive(Debug)]
pub(super) struct Connection {
    stream: Option<TcpStream>,
    pub(super) state: State,
    /// What of the request could not be written at once, and how much of that was since.
    unsent: (Vec<u8>, usize),
    pub(super) response: ResponseReader,
}

impl Connection {
    pub(super) fn vacant(response: ResponseReader) -> Self {
        Self { stream: None, state: State::Vacant, unsent: (Vec::new(), 0), response }
    }

    pub(super) fn connecting(&mut self, stream: TcpStream, since_ns: u64) {
        self.stream = Some(stream);
        self.state = State::Connecting { since_ns };
        self.unsent = (Vec::new(), 0);
        self.response.reset();
    }

    /// Whether the connection is made now; `None`: not yet.
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
        self.unsent.0.clear();
        self.unsent.1 = 0;
        let written = write(self.stream.as_mut(), bytes)?;
        if written < bytes.len() {
            self.unsent.0.extend_from_slice(&bytes[written..]);
            self.send_rest()?;
        }
        Ok(())
    }

    /// Sends what is left of the request; until the socket takes no more, so that it tells
    /// when it does again.
    pub(super) fn send_rest(&mut self) -> io::Result<()> {
        let (bytes, at) = &mut self.unsent;
        while *at < bytes.len() {
            match write(self.stream.as_mut(), &bytes[*at..])? {
                0 => break,
                written => *at += written,
            }
        }
        Ok(())
    }

    /// Reads what is there, through `buffer`. `closing`: the server is known to have closed
    /// its side, so that a short read is not the end.
    ///
    /// With edge-triggered notifications a read that does not fill the buffer has emptied the
    /// socket (epoll(7)); what comes later is notified anew.
    pub(super) fn read(&mut self, buffer: &mut [u8], closing: bool, count: &mut u64) -> Reading {
        let Some(stream) = self.stream.as_mut() else { return Reading::Blocked };
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
                return Reading::Malformed("it came without a request");
            }
            match self.response.feed(&buffer[..length]) {
                Ok(Progress::Complete { surplus }) => {
                    let drained = !closing && (length < buffer.len() || is_drained(stream));
                    let sent = self.unsent.1 == self.unsent.0.len();
                    let reusable = drained && !surplus && sent && self.response.keep_alive();
                    return Reading::Complete { reusable };
                }
                Ok(Progress::More) if length < buffer.len() && !closing => {
                    return Reading::Blocked;
                }
                Ok(Progress::More) => {}
                Err(malformed) => return Reading::Malformed(malformed.0),
            }
        }
    }

    /// Ends the connection; the stream is returned so that it is closed after the poll
    /// forgot it.
    pub(super) fn close(&mut self) -> Option<TcpStream> {
        self.state = State::Vacant;
        self.stream.take()
    }
}

/// Whether nothing is there to be read, neither bytes nor the end.
fn is_drained(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// How much was written; 0: the socket takes nothing now.
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
