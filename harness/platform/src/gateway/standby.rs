//! Keeps the second thread of an event loop out of work until it is needed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

/// Blocks stand-by threads of one event loop.
#[derive(Debug, Default)]
pub(super) struct StandBy {
    /// How many blocked threads are to resume work.
    needed: Mutex<usize>,
    resume: Condvar,
    ended: AtomicBool,
}

impl StandBy {
    /// Blocks the calling worker thread of `runtime` until [`resume_one`](Self::resume_one)
    /// or [`end`](Self::end).
    pub(super) async fn block(&self, runtime: Handle) {
        // Requeues this task in its thread's own queue, behind all work that only this thread
        // can do.
        tokio::task::yield_now().await;
        // This thread may have been the one that polled the sockets, so the other thread may
        // sleep without polling them. A task that is spawned from outside wakes it.
        tokio::task::spawn_blocking(move || drop(runtime.spawn(async {})));
        let idle = |needed: &mut usize| *needed == 0 && !self.ended.load(Ordering::SeqCst);
        let needed = self.resume.wait_while(self.lock(), idle);
        let mut needed = needed.unwrap_or_else(PoisonError::into_inner);
        *needed = needed.saturating_sub(1);
    }

    /// Lets one blocked thread work for the event loop.
    pub(super) fn resume_one(&self) {
        *self.lock() += 1;
        self.resume.notify_one();
    }

    /// Releases all threads, now and in future.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        // A thread that has read the flag before is waiting once the lock is acquired here.
        drop(self.lock());
        self.resume.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.needed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
