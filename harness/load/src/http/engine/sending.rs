//! Sends due requests and reads their responses.

use std::io;

use lumos_os::clock::monotonic_ns;

use super::state::{BATCH, Engine};
use crate::http::connection::{Peer, Reading, Request, State};
use crate::http::error::LoadError;
use crate::http::record::Outcome;

const CLOSED_EARLY: &str = "the server closed the connection before the response was complete";

impl Engine<'_> {
    /// Sends the requests that are due, or queues them for a connection.
    pub(super) fn send_due(&mut self) -> Result<(), LoadError> {
        for _ in 0..BATCH {
            let Some(due_ns) = self.schedule.due_ns() else { return Ok(()) };
            let now = monotonic_ns();
            if due_ns > now {
                return Ok(());
            }
            let Some(due) = self.schedule.take()? else { return Ok(()) };
            let request = Request {
                seq: self.issued,
                client: due.client,
                intended_ns: due.intended_ns,
                sent_ns: None,
            };
            self.issued += 1;
            let deadline = due.intended_ns.saturating_add(self.timeout_ns);
            self.next_expiry_ns = self.next_expiry_ns.min(deadline);
            match self.idle.pop() {
                Some(slot) => {
                    self.tally.sent(now.saturating_sub(due.intended_ns));
                    self.send(slot, request, now);
                }
                None => {
                    self.waiting.push_back(request);
                    self.connect_for_waiting(now);
                }
            }
        }
        Ok(())
    }

    /// Uses a connection that has become free for the next waiting request.
    pub(super) fn on_free(&mut self, slot: usize, now: u64) {
        self.connections[slot].state = State::Idle;
        match self.waiting.pop_front() {
            Some(request) => {
                self.tally.sent_after_waiting(now.saturating_sub(request.intended_ns));
                self.send(slot, request, now);
            }
            None => self.idle.push(slot),
        }
    }

    /// Sends `request` on an idle connection.
    fn send(&mut self, slot: usize, request: Request, now: u64) {
        let request = Request { sent_ns: Some(now), ..request };
        let connection = &mut self.connections[slot];
        connection.state = State::Busy(request);
        if let Err(error) = connection.send(self.request.of(request.seq)) {
            self.on_write_failure(slot, &error);
        } else if self.disconnects() {
            let now = monotonic_ns();
            self.end_unanswered(request, Outcome::Disconnected, now);
            self.replace(slot, now);
        }
    }

    /// Whether the client of the current request disconnects without waiting for the response.
    fn disconnects(&mut self) -> bool {
        let share = self.options.disconnect.get();
        share > 0.0 && self.injection.chance(share)
    }

    /// The server does not take the rest of a request. It may have responded before it closed
    /// the connection.
    pub(super) fn on_write_failure(&mut self, slot: usize, error: &io::Error) {
        let State::Busy(request) = self.connections[slot].state else { return };
        self.on_readable(slot, Peer::Closed);
        match self.connections[slot].state {
            State::Busy(still) if still.seq == request.seq => {
                let now = monotonic_ns();
                self.tally.error(error);
                self.end_unanswered(request, Outcome::Reset, now);
                self.replace(slot, now);
            }
            _ => {}
        }
    }

    /// Reads from a connection and ends its request if it can.
    pub(super) fn on_readable(&mut self, slot: usize, peer: Peer) {
        let connection = &mut self.connections[slot];
        let reading = connection.read(&mut self.buffer, peer, &mut self.tally.bytes_read);
        if matches!(reading, Reading::Blocked) {
            return;
        }
        let now = monotonic_ns();
        let State::Busy(request) = connection.state else {
            // Without a request: the server closed the connection, or sent unrequested bytes.
            self.idle.retain(|idle| *idle != slot);
            self.close(slot);
            return self.connect_for_waiting(now);
        };
        let outcome = match reading {
            Reading::Blocked => return,
            Reading::Complete { reusable } => {
                self.end_answered(slot, request, now);
                return if reusable { self.on_free(slot, now) } else { self.replace(slot, now) };
            }
            Reading::Closed => {
                self.tally.error(&CLOSED_EARLY);
                Outcome::Closed
            }
            Reading::Broken(error) => {
                self.tally.error(&error);
                Outcome::Reset
            }
            Reading::Malformed(malformed) => {
                self.tally.error(&malformed);
                Outcome::Malformed
            }
        };
        self.end_unanswered(request, outcome, now);
        self.replace(slot, now);
    }
}
