//! Serving a short function on the event loop's own thread, without holding up the loop.
//!
//! To hand a request to another thread and its answer back costs two wake-ups, more than
//! such a function takes. So it runs where its request was read. One thread does all of the
//! loop's work, since a second one costs more wake-ups than it takes work away; the others
//! stand by. Should a function take longer than expected, a watchdog has one of them go on
//! with the loop; the thread that was held up stands by afterwards.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::monotonic_ns;

/// How often calls that run are looked at, and how long one may hold up who else is served
/// by its thread.
const LOOK: Duration = Duration::from_millis(2);
/// After so much time without a call the watchdog sleeps until there is one.
const REST: Duration = Duration::from_secs(1);

/// Permits to serve here, and what the watchdog sees of them.
#[derive(Debug)]
pub struct Here {
    /// When the call began that holds the permit, nanoseconds of `CLOCK_MONOTONIC`; zero:
    /// the permit is free. One fewer than the loop has threads.
    calls: Vec<AtomicU64>,
    last_ns: AtomicU64,
    rests: AtomicBool,
    ended: AtomicBool,
    /// How many threads that stand by are to go on with the loop.
    wanted: Mutex<usize>,
    called: Condvar,
}

impl Here {
    /// For an event loop of so many threads.
    pub fn new(threads: usize) -> Self {
        Self {
            calls: (1..threads).map(|_| AtomicU64::new(0)).collect(),
            last_ns: AtomicU64::new(0),
            rests: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            wanted: Mutex::new(0),
            called: Condvar::new(),
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

    /// Has all threads but one of the event loop behind `threads` stand by, and starts the
    /// watchdog that calls them.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn watch(self: &Arc<Self>, threads: Handle) -> std::io::Result<JoinHandle<()>> {
        for _ in &self.calls {
            threads.spawn(stand_by(Arc::clone(self)));
        }
        let here = Arc::clone(self);
        let watchdog = thread::Builder::new().name("gateway-watchdog".to_owned());
        watchdog.spawn(move || here.look_after(&threads))
    }

    /// Lets all threads go on; the watchdog ends when it looks next, or is unparked.
    pub fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        // Who has looked before is waiting by the time that this has the lock.
        drop(self.lock());
        self.called.notify_all();
    }

    fn look_after(self: &Arc<Self>, threads: &Handle) {
        // When the late calls began that somebody else goes on for; zero: there is none.
        let mut late = vec![0; self.calls.len()];
        while !self.ended.load(Ordering::SeqCst) {
            let now_ns = monotonic_ns();
            for (call, late) in self.calls.iter().zip(&mut late) {
                let began_ns = call.load(Ordering::SeqCst);
                if *late != 0 && *late != began_ns {
                    *late = 0;
                    threads.spawn(stand_by(Arc::clone(self)));
                }
                let is_late = now_ns.saturating_sub(began_ns) >= nanoseconds(LOOK);
                if began_ns != 0 && is_late && *late == 0 {
                    *late = began_ns;
                    *self.lock() += 1;
                    self.called.notify_one();
                }
            }
            let quiet_ns = now_ns.saturating_sub(self.last_ns.load(Ordering::Relaxed));
            if quiet_ns < nanoseconds(REST) || late.iter().any(|late| *late != 0) {
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

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a thread of the event loop from its work until it is wanted.
async fn stand_by(here: Arc<Here>) {
    // Now this task is in its thread's own queue, behind whatever only this thread could do.
    tokio::task::yield_now().await;
    let threads = Handle::current();
    // The thread that is left may sleep without watching the sockets, since this one did;
    // work from outside wakes it.
    tokio::task::spawn_blocking(move || drop(threads.spawn(async {})));
    let idle = |wanted: &mut usize| *wanted == 0 && !here.ended.load(Ordering::SeqCst);
    let wanted = here.called.wait_while(here.lock(), idle);
    let mut wanted = wanted.unwrap_or_else(PoisonError::into_inner);
    *wanted = wanted.saturating_sub(1);
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
