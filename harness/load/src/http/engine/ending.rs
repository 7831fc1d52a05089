//! Records the outcome of a request.

use super::state::Engine;
use crate::http::connection::Request;
use crate::http::record::{Outcome, Record};

impl Engine<'_> {
    pub(super) fn end_answered(&mut self, slot: usize, request: Request, now: u64) {
        let response = &self.connections[slot].response;
        let status = response.status();
        let hashes = self.options.hash_bodies;
        let outcome = if (200..300).contains(&status) { Outcome::Ok } else { Outcome::Status };
        let record = Record {
            status: Some(status),
            body_bytes: response.body_bytes(),
            body_sha256: hashes.then(|| self.hasher.hash(response.body())),
            ..unanswered(request, outcome, now)
        };
        self.end(&record, request.client);
    }

    pub(super) fn end_unanswered(&mut self, request: Request, outcome: Outcome, now: u64) {
        self.end(&unanswered(request, outcome, now), request.client);
    }

    fn end(&mut self, record: &Record, client: u32) {
        self.ended += 1;
        if let Some(live) = self.options.live {
            live.count(record.outcome.is_failure());
        }
        self.tally.ended(record);
        match record.outcome {
            Outcome::Connect => self.schedule.connection_failed(client, record.ended_ns),
            _ => self.schedule.ended(client, record.ended_ns),
        }
    }
}

/// The record of a request without a response.
fn unanswered(request: Request, outcome: Outcome, now: u64) -> Record {
    Record {
        seq: request.seq,
        intended_ns: request.intended_ns,
        sent_ns: request.sent_ns,
        ended_ns: now,
        outcome,
        status: None,
        body_bytes: 0,
        body_sha256: None,
    }
}
