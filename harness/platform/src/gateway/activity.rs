//! What the event loops report to the watchdog, and how they wake it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// The time of the last inline call is stored at most this often.
const UPDATE_NS: u64 = Duration::from_millis(100).as_nanos() as u64;

/// Shared by all event loops and the watchdog.
#[derive(Debug, Default)]
pub(super) struct Activity {
    last_ns: AtomicU64,
    /// The watchdog is parked or about to be.
    parked: AtomicBool,
    watchdog: OnceLock<Thread>,
}

impl Activity {
    /// Reports the begin of an inline call, which the caller has published already.
    pub(super) fn call_began(&self, now_ns: u64) {
        if now_ns.saturating_sub(self.last_ns.load(Ordering::Relaxed)) > UPDATE_NS {
            self.last_ns.store(now_ns, Ordering::Relaxed);
        }
        if self.parked.load(Ordering::SeqCst)
            && let Some(watchdog) = self.watchdog.get()
        {
            watchdog.unpark();
        }
    }

    /// Time since the last inline call; may be too long by the update interval.
    pub(super) fn quiet_ns(&self, now_ns: u64) -> u64 {
        now_ns.saturating_sub(self.last_ns.load(Ordering::Relaxed))
    }

    /// Parks the calling thread, which is the watchdog, until a call begins, unless `is_busy`.
    /// The flag is set before `is_busy` is evaluated, and calls publish themselves before they
    /// read the flag: so one of both sides sees the other.
    pub(super) fn park_unless(&self, is_busy: impl FnOnce() -> bool) {
        self.watchdog.get_or_init(thread::current);
        self.parked.store(true, Ordering::SeqCst);
        if !is_busy() {
            thread::park();
        }
        self.parked.store(false, Ordering::SeqCst);
    }
}
