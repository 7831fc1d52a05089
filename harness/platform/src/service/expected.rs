//! How long what a pool does is expected to take, from how long it took.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// No time is long enough.
const NEVER: u64 = u64::MAX;

/// How long something is expected to take: the mean of late.
#[derive(Debug)]
pub(super) struct Expected {
    ns: AtomicU64,
    /// What took longer counts as this. On a busy machine now and then something is
    /// interrupted for milliseconds, however short it is.
    most_ns: u64,
}

impl Expected {
    /// The weight of the last time is one part in so many.
    const FORGET: u64 = 16;

    /// For ever, as long as nothing is known. What takes longer than `most_ns` counts as that.
    pub fn new(most_ns: u64) -> Self {
        Self { ns: AtomicU64::new(NEVER), most_ns }
    }

    /// After something took so long.
    pub fn note(&self, took_ns: u64) {
        let took_ns = took_ns.min(self.most_ns);
        let next_ns = match self.ns() {
            NEVER => took_ns,
            before_ns => before_ns - before_ns / Self::FORGET + took_ns / Self::FORGET,
        };
        self.ns.store(next_ns, Relaxed);
    }

    /// Nanoseconds.
    pub fn ns(&self) -> u64 {
        self.ns.load(Relaxed)
    }
}
