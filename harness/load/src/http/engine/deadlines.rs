//! Ends requests that time out or are cancelled.

use super::state::Engine;
use crate::http::connection::State;
use crate::http::record::Outcome;

impl Engine<'_> {
    /// Ends requests and connection attempts that have taken longer than the timeout.
    pub(super) fn expire(&mut self, now: u64) {
        if now < self.next_expiry_ns {
            return;
        }
        self.next_expiry_ns = u64::MAX;
        while let Some(request) = self.waiting.front().copied() {
            if self.expires_later(request.intended_ns, now) {
                break;
            }
            self.waiting.pop_front();
            self.end_unanswered(request, Outcome::Timeout, now);
        }
        for slot in 0..self.connections.len() {
            let state = self.connections[slot].state;
            match state {
                State::Busy(request) if !self.expires_later(request.intended_ns, now) => {
                    self.close(slot);
                    self.end_unanswered(request, Outcome::Timeout, now);
                }
                State::Connecting { since_ns } if !self.expires_later(since_ns, now) => {
                    self.close(slot);
                }
                _ => {}
            }
        }
        self.connect_for_waiting(now);
    }

    /// Whether a timeout that began at `since_ns` is still running. If so, remembers when it
    /// ends.
    fn expires_later(&mut self, since_ns: u64, now: u64) -> bool {
        let deadline = since_ns.saturating_add(self.timeout_ns);
        let later = deadline > now;
        if later {
            self.next_expiry_ns = self.next_expiry_ns.min(deadline);
        }
        later
    }

    /// Ends all requests because the load was stopped.
    pub(super) fn cancel(&mut self, now: u64) {
        self.schedule.stop();
        while let Some(request) = self.waiting.pop_front() {
            self.end_unanswered(request, Outcome::Cancelled, now);
        }
        for slot in 0..self.connections.len() {
            if let State::Busy(request) = self.connections[slot].state {
                self.close(slot);
                self.end_unanswered(request, Outcome::Cancelled, now);
            }
        }
    }
}
