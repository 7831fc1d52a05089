//! The ends of requests: answered, not answered, too late, or not wanted any more.

use super::Engine;
use crate::http::connection::{Request, State};
use crate::http::record::{Outcome, Record};

impl Engine<'_> {
    /// Ends what has waited for longer than the timeout.
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

    /// Whether the timeout that began at `since_ns` is still to come; remembers when.
    fn expires_later(&mut self, since_ns: u64, now: u64) -> bool {
        let deadline = since_ns.saturating_add(self.timeout_ns);
        let later = deadline > now;
        if later {
            self.next_expiry_ns = self.next_expiry_ns.min(deadline);
        }
        later
    }

    /// Somebody wants the load to end now.
    pub(super) fn cancel(&mut self, now: u64) {
        self.source.stop();
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

    pub(super) fn end_answered(&mut self, slot: usize, request: Request, now: u64) {
        let response = &self.connections[slot].response;
        let status = response.status();
        let hashes = self.options.hash_bodies;
        let record = Record {
            seq: request.seq,
            intended_ns: request.intended_ns,
            sent_ns: request.sent_ns,
            ended_ns: now,
            outcome: if (200..300).contains(&status) { Outcome::Ok } else { Outcome::Status },
            status: Some(status),
            body_bytes: response.body_bytes(),
            body_sha256: hashes.then(|| self.hasher.hash(response.body())),
        };
        self.end(&record, request.client);
    }

    pub(super) fn end_unanswered(&mut self, request: Request, outcome: Outcome, now: u64) {
        let record = Record {
            seq: request.seq,
            intended_ns: request.intended_ns,
            sent_ns: request.sent_ns,
            ended_ns: now,
            outcome,
            status: None,
            body_bytes: 0,
            body_sha256: None,
        };
        self.end(&record, request.client);
    }

    fn end(&mut self, record: &Record, client: u32) {
        self.ended += 1;
        if let Some(live) = self.options.live {
            live.count(record.outcome.is_failure());
        }
        self.tally.ended(record);
        self.source.ended(client, record.ended_ns, record.outcome == Outcome::Connect);
    }
}
