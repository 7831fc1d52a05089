//! Makes, closes and replaces connections.

use std::io;

use lumos_os::clock::monotonic_ns;
use mio::net::TcpStream;
use mio::{Events, Interest, Token};

use super::state::{BATCH, CHECK_INTERVAL, Engine};
use crate::http::connection::State;
use crate::http::error::LoadError;
use crate::http::record::Outcome;

impl Engine<'_> {
    /// Opens `wanted` connections before anything is sent.
    ///
    /// # Errors
    /// When one of them cannot be made: then nothing can be measured.
    pub(crate) fn connect_first(&mut self, wanted: usize) -> Result<(), LoadError> {
        let addr = self.target.addr;
        let failed = |error| LoadError::Connect { addr, error };
        let begin_ns = monotonic_ns();
        for _ in 0..wanted {
            self.connect(begin_ns).map_err(failed)?;
        }
        let mut events = Events::with_capacity(BATCH);
        while self.connecting > 0 && !self.is_stopped() {
            self.poll_events(&mut events, CHECK_INTERVAL)?;
            for event in &events {
                let slot = event.token().0;
                let state = self.connections.get(slot).map(|connection| connection.state);
                let Some(State::Connecting { .. }) = state else { continue };
                self.finish_connecting(slot).map_err(failed)?;
            }
            if monotonic_ns() - begin_ns > self.timeout_ns {
                return Err(failed(io::ErrorKind::TimedOut.into()));
            }
        }
        Ok(())
    }

    /// Closes a connection, and opens another if requests wait for one.
    pub(super) fn replace(&mut self, slot: usize, now: u64) {
        self.close(slot);
        self.connect_for_waiting(now);
    }

    /// Opens a connection for each waiting request, as far as slots are vacant.
    pub(super) fn connect_for_waiting(&mut self, now: u64) {
        while self.connecting < self.waiting.len() && !self.vacant.is_empty() {
            if let Err(error) = self.connect(now) {
                self.fail_waiting(&error, now);
            }
        }
    }

    fn connect(&mut self, now: u64) -> io::Result<()> {
        let Some(slot) = self.vacant.pop() else { return Ok(()) };
        let connected = TcpStream::connect(self.target.addr).and_then(|mut stream| {
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(slot), interest)?;
            Ok(stream)
        });
        match connected {
            Ok(stream) => {
                self.connections[slot].connecting(stream, now);
                self.connecting += 1;
                let deadline = now.saturating_add(self.timeout_ns);
                self.next_expiry_ns = self.next_expiry_ns.min(deadline);
                Ok(())
            }
            Err(error) => {
                self.vacant.push(slot);
                Err(error)
            }
        }
    }

    /// Handles an event on a connection that is being made.
    pub(super) fn finish_connecting(&mut self, slot: usize) -> io::Result<()> {
        match self.connections[slot].connected() {
            None => Ok(()),
            Some(Ok(())) => {
                self.connecting -= 1;
                self.tally.connections += 1;
                self.on_free(slot, monotonic_ns());
                Ok(())
            }
            Some(Err(error)) => {
                self.close(slot);
                Err(error)
            }
        }
    }

    /// A failed connection fails the request that has waited longest.
    pub(super) fn fail_waiting(&mut self, error: &io::Error, now: u64) {
        if let Some(request) = self.waiting.pop_front() {
            self.tally.error(error);
            self.end_unanswered(request, Outcome::Connect, now);
        }
    }

    pub(super) fn close(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        if matches!(connection.state, State::Connecting { .. }) {
            self.connecting -= 1;
        }
        if let Some(mut stream) = connection.close() {
            // The kernel removes a closed descriptor by itself; mio keeps its own count.
            let _ = self.poll.registry().deregister(&mut stream);
            self.vacant.push(slot);
        }
    }
}
