//! How a load is sent, and its live counters.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use lumos_model::arrival::Share;

/// How a load is sent.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions<'a> {
    /// A request without a complete response this long after its intended time has timed out;
    /// its connection is closed.
    pub timeout: Duration,
    /// The most connections at a time in an open loop. A closed loop has one for each client.
    pub connections: u32,
    /// The number of requests after which no more are sent.
    pub requests: Option<u64>,
    /// Whether to send each request's number in the header
    /// [`SEQ_HEADER`](super::request::SEQ_HEADER).
    pub numbered: bool,
    /// Whether to hash the bodies of responses, after the clock has stopped.
    pub hash_bodies: bool,
    /// The share of requests whose client disconnects right after sending.
    pub disconnect: Share,
    /// Another thread sets this to end the load. Requests in flight are then
    /// [`Outcome::Cancelled`](super::record::Outcome::Cancelled).
    pub stop: Option<&'a AtomicBool>,
    /// Counters for another thread to read during the load.
    pub live: Option<&'a Live>,
}

impl Default for LoadOptions<'_> {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            connections: 256,
            requests: None,
            numbered: false,
            hash_bodies: false,
            disconnect: Share::ZERO,
            stop: None,
            live: None,
        }
    }
}

/// How many requests have ended so far, for another thread to read.
#[derive(Debug, Default)]
pub struct Live {
    ended: AtomicU64,
    failed: AtomicU64,
}

impl Live {
    pub(super) fn count(&self, failed: bool) {
        // Only one thread writes: a load and a store are enough.
        let add = |counter: &AtomicU64| {
            counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        };
        add(&self.ended);
        if failed {
            add(&self.failed);
        }
    }

    /// The number of requests that have ended, and how many of them failed.
    pub fn read(&self) -> (u64, u64) {
        (self.ended.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }
}
