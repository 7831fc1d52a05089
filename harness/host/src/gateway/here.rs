//! Serving a short function on the event loop's own thread, without holding up the loop.
//!
//! To hand a request to another thread and its answer back costs two wake-ups, more than
//! such a function takes. So it runs where its request was read, at most so many at a time
//! that one thread of the event loop is left. But that thread may sleep, since a loop wakes
//! as many threads as it has work for when it wakes: should a function take longer than
//! expected, a watchdog wakes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::monotonic_ns;

/// How often calls that run are looked at, and how long one may hold up who else is served
/// by its thread.
const LOOK: Duration = Duration::from_millis(2);
/// After so much time without a call the watchdog sleeps until there is one.
const REST: Duration = Duration::from_secs(1);

/// How often a permit is asked for until it is given up: some microseconds. Who has it is
/// about to end, and to hand a request over takes longer than that.
const ATTEMPTS: usize = 50;

/// Permits to serve here, and what the watchdog sees of them.
#[derive(Debug)]
pub struct Here {
    /// When the call began that holds the permit, nanoseconds of `CLOCK_MONOTONIC`; zero:
    /// the permit is free.
    calls: Vec<AtomicU64>,
    last_ns: AtomicU64,
    rests: AtomicBool,
    ended: AtomicBool,
}

impl Here {
    /// For an event loop of so many threads.
    pub fn new(threads: usize) -> Self {
        Self {
            calls: (1..threads).map(|_| AtomicU64::new(0)).collect(),
            last_ns: AtomicU64::new(0),
            rests: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        }
    }

    /// A permit, unless all are taken; the watchdog watches it until it is dropped.
    pub fn enter(&self, watchdog: &Thread) -> Option<Permit<'_>> {
        let is_free = |call: &&AtomicU64| call.load(Ordering::Relaxed) == 0;
        let call = self.calls.iter().find(is_free)?;
        let now_ns = monotonic_ns();
        call.compare_exchange(0, now_ns, Ordering::SeqCst, Ordering::Relaxed).ok()?;
        self.last_ns.store(now_ns, Ordering::Relaxed);
        if self.rests.load(Ordering::SeqCst) {
            watchdog.unpark();
        }
        Some(Permit(call))
    }

    /// Like [`enter`](Self::enter), but waits as long as a short function takes.
    pub fn enter_soon(&self, watchdog: &Thread) -> Option<Permit<'_>> {
        for _ in 0..ATTEMPTS {
            if let Some(permit) = self.enter(watchdog) {
                return Some(permit);
            }
            std::hint::spin_loop();
        }
        None
    }

    /// Starts the watchdog of the event loop behind `threads`.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn watch(self: &Arc<Self>, threads: Handle) -> std::io::Result<JoinHandle<()>> {
        let here = Arc::clone(self);
        let watchdog = thread::Builder::new().name("gateway-watchdog".to_owned());
        watchdog.spawn(move || here.look_after(&threads))
    }

    /// Has the watchdog end.
    pub fn end(&self, watchdog: JoinHandle<()>) {
        self.ended.store(true, Ordering::SeqCst);
        watchdog.thread().unpark();
        // It does nothing that can panic.
        let _ = watchdog.join();
    }

    fn look_after(&self, threads: &Handle) {
        let mut woken = vec![0; self.calls.len()];
        while !self.ended.load(Ordering::SeqCst) {
            let now_ns = monotonic_ns();
            for (call, woken) in self.calls.iter().zip(&mut woken) {
                let began_ns = call.load(Ordering::SeqCst);
                let late = began_ns != 0 && now_ns.saturating_sub(began_ns) >= nanoseconds(LOOK);
                if late && *woken != began_ns {
                    // Work from outside wakes a sleeping thread, which then goes on with
                    // the loop.
                    threads.spawn(async {});
                    *woken = began_ns;
                }
            }
            let quiet_ns = now_ns.saturating_sub(self.last_ns.load(Ordering::Relaxed));
            if quiet_ns < nanoseconds(REST) {
                thread::sleep(LOOK);
                continue;
            }
            self.rests.store(true, Ordering::SeqCst);
            // A call that began before it could see that the watchdog rests is seen here.
            if self.calls.iter().all(|call| call.load(Ordering::SeqCst) == 0)
                && !self.ended.load(Ordering::SeqCst)
            {
                thread::park();
            }
            self.rests.store(false, Ordering::SeqCst);
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos() as u64
}

/// The right to serve on this thread; given back when it is dropped.
#[derive(Debug)]
pub struct Permit<'h>(&'h AtomicU64);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_is_always_left() {
        let here = Here::new(3);
        let this = thread::current();
        let first = here.enter(&this).expect("nobody serves");
        let _second = here.enter(&this).expect("two may serve");
        assert!(here.enter(&this).is_none(), "nobody is left to go on with the loop");
        drop(first);
        assert!(here.enter(&this).is_some());
    }
}
