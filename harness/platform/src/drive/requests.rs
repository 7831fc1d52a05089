//! The requests of a load: all alike but for their numbers, and limited in number.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use bytes::Bytes;
use lumos_model::protocol::Load;

use crate::service::Request;

/// Numbers requests across all clients.
pub(super) struct RequestSource {
    body: Bytes,
    limit: u32,
    next: AtomicU32,
    limit_reached: AtomicBool,
}

impl RequestSource {
    pub(super) fn new(load: &Load) -> Self {
        Self {
            body: Bytes::from(load.function.prepare.request.clone()),
            limit: load.requests,
            next: AtomicU32::new(0),
            limit_reached: AtomicBool::new(false),
        }
    }

    /// The next request; `None` if the limit is reached.
    pub(super) fn next(&self, intended_ns: u64) -> Option<Request> {
        let seq = self.next.fetch_add(1, Relaxed);
        if seq < self.limit {
            return Some(Request { body: self.body.clone(), intended_ns, seq });
        }
        self.limit_reached.store(true, Relaxed);
        None
    }

    /// Whether a request was withheld.
    pub(super) fn limit_reached(&self) -> bool {
        self.limit_reached.load(Relaxed)
    }
}
