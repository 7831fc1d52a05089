//! The pipes to a process that speaks the frame protocol, with a deadline for each transfer.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use lumos_model::wire::RequestKind;
use lumos_model::wire::frame::{MAX_FRAME, REPLY_HEAD, request_head};
use lumos_os::clock::monotonic_ns;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, ppoll};

const READ_CHUNK: usize = 64 << 10;

/// Our ends of a process's standard input and output.
pub(crate) struct FramePipes {
    stdin: File,
    stdout: File,
}

impl FramePipes {
    /// Takes the pipes, which [`set_non_blocking`](Self::set_non_blocking) has yet to prepare.
    pub fn new(stdin: OwnedFd, stdout: OwnedFd) -> Self {
        Self { stdin: File::from(stdin), stdout: File::from(stdout) }
    }

    /// Makes both pipes non-blocking, without which no deadline holds.
    pub fn set_non_blocking(&self) -> nix::Result<()> {
        for pipe in [&self.stdin, &self.stdout] {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(())
    }

    /// Writes one request.
    ///
    /// # Errors
    /// `TimedOut` at the deadline, `InvalidData` for a request that exceeds a frame, and
    /// those of write(2).
    #[inline]
    pub fn send(&mut self, kind: RequestKind, request: &[u8], deadline_ns: u64) -> io::Result<()> {
        let length = u32::try_from(request.len())
            .ok()
            .filter(|length| *length < MAX_FRAME)
            .ok_or_else(|| invalid("the request is too long for a frame"))?;
        let head = request_head(kind, length);
        let mut slices = [io::IoSlice::new(&head), io::IoSlice::new(request)];
        let mut left = &mut slices[..];
        // Drops the empty slices in front.
        io::IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            match self.stdin.write_vectored(left) {
                Ok(written) => io::IoSlice::advance_slices(&mut left, written),
                Err(error) => wait_for(error, self.stdin.as_fd(), PollFlags::POLLOUT, deadline_ns)?,
            }
        }
        Ok(())
    }

    /// Reads one reply into `frame`, whose old content is dropped.
    ///
    /// # Errors
    /// `TimedOut` at the deadline, `UnexpectedEof` when the process closed its output,
    /// `InvalidData` when the bytes are not a reply, and those of read(2).
    #[inline]
    pub fn receive(&mut self, frame: &mut Vec<u8>, deadline_ns: u64) -> io::Result<()> {
        let mut length = [0; 4];
        self.read_exactly(&mut length, deadline_ns)?;
        let length = u32::from_le_bytes(length);
        if !(REPLY_HEAD as u32..=MAX_FRAME).contains(&length) {
            return Err(invalid("the process does not speak the instance protocol"));
        }
        frame.clear();
        // Grows with the bytes that arrive: a wrong length must not allocate.
        while frame.len() < length as usize {
            let start = frame.len();
            frame.resize((start + READ_CHUNK).min(length as usize), 0);
            self.read_exactly(&mut frame[start..], deadline_ns)?;
        }
        Ok(())
    }

    fn read_exactly(&mut self, mut buffer: &mut [u8], deadline_ns: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.stdout.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => buffer = &mut buffer[read..],
                Err(error) => wait_for(error, self.stdout.as_fd(), PollFlags::POLLIN, deadline_ns)?,
            }
        }
        Ok(())
    }
}

/// After a read or write that would block: waits until it can proceed, or the deadline.
fn wait_for(
    error: io::Error,
    fd: BorrowedFd<'_>,
    flags: PollFlags,
    deadline_ns: u64,
) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::Interrupted => return Ok(()),
        io::ErrorKind::WouldBlock => {}
        _ => return Err(error),
    }
    let left_ns = deadline_ns.saturating_sub(monotonic_ns());
    let timeout = Duration::from_nanos(left_ns).into();
    match ppoll(&mut [PollFd::new(fd, flags)], Some(timeout), None) {
        Ok(0) => Err(io::ErrorKind::TimedOut.into()),
        Ok(_) | Err(nix::Error::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
