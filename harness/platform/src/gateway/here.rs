//! Serving a short function on the event loop's own thread, without holding up the loop.
//!
//! To hand a request to another thread and its answer back costs two wake-ups, more than
//! such a function takes. So it runs where its request was read. One thread does all of a
//! loop's work; another one stands by. Should a function take longer than expected, a
//! watchdog has that one go on with the loop; the thread that was held up stands by
//! afterwards.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use lumos_os::clock::monotonic_ns;
use tokio::runtime::Handle;

/// How often calls that run are looked at.
const LOOK: Duration = Duration::from_millis(2);
/// How long a call may hold up who else is served by its thread. A slice of the kernel's
/// scheduler, which may interrupt any call, is some 3 ms.
const LATE: Duration = Duration::from_millis(5);
/// After so much time without a call the watchdog sleeps until there is one.
const REST: Duration = Duration::from_secs(1);
/// Calls are noted as the last one so often at most.
const NOTE: Duration = Duration::from_millis(100);

/// The permit to serve on the thread that works for an event loop.
#[derive(Debug)]
pub struct Here {
    /// When the call began that holds the permit, nanoseconds of `CLOCK_MONOTONIC`; zero:
    /// the permit is free.
    call: AtomicU64,
    /// How many threads that stand by are to go on with the loop.
    wanted: Mutex<usize>,
    called: Condvar,
    ended: AtomicBool,
}

/// The right to serve on this thread; given back when it is dropped.
#[derive(Debug)]
pub struct Permit<'h>(&'h Here);

impl Here {
    /// For an event loop of two threads.
    pub fn new() -> Self {
        Self {
            call: AtomicU64::new(0),
            wanted: Mutex::new(0),
            called: Condvar::new(),
            ended: AtomicBool::new(false),
        }
    }

    /// A permit, unless it is taken: this is the thread that stood by.
    pub fn enter(&self, watched: &Watched) -> Option<Permit<'_>> {
        let now_ns = monotonic_ns();
        self.call.compare_exchange(0, now_ns, Ordering::SeqCst, Ordering::Relaxed).ok()?;
        watched.note(now_ns);
        Some(Permit(self))
    }

    fn begun_ns(&self) -> u64 {
        self.call.load(Ordering::SeqCst)
    }

    /// Has one thread that stands by go on with the loop.
    fn call_one(&self) {
        *self.lock() += 1;
        self.called.notify_one();
    }

    /// Lets all threads go on.
    fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        // Who has looked before is waiting by the time that this has the lock.
        drop(self.lock());
        self.called.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.call.store(0, Ordering::SeqCst);
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

/// What a watchdog and those that it watches know of each other.
#[derive(Debug)]
pub struct Watched {
    thread: Thread,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    last_ns: AtomicU64,
    rests: AtomicBool,
    ended: AtomicBool,
}

impl Watched {
    /// Says that a call began.
    fn note(&self, now_ns: u64) {
        let state = &*self.state;
        if now_ns.saturating_sub(state.last_ns.load(Ordering::Relaxed)) > nanoseconds(NOTE) {
            state.last_ns.store(now_ns, Ordering::Relaxed);
        }
        if state.rests.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
    }
}

/// The thread that looks after the calls of all event loops; ended when it is dropped.
#[derive(Debug)]
pub struct Watchdog {
    thread: Option<JoinHandle<()>>,
    state: Arc<State>,
    loops: Vec<Arc<Here>>,
}

impl Watchdog {
    /// Starts the thread, which has one of the two of each event loop stand by: without it
    /// nobody would call them.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(loops: Vec<(Arc<Here>, Handle)>) -> std::io::Result<Self> {
        let state = Arc::<State>::default();
        let all = loops.iter().map(|(here, _)| Arc::clone(here)).collect();
        let watches = Arc::clone(&state);
        let thread = thread::Builder::new()
            .name("gateway-watchdog".to_owned())
            .spawn(move || look_after(&watches, &loops))?;
        Ok(Self { thread: Some(thread), state, loops: all })
    }

    /// What those need that are watched.
    pub fn watched(&self) -> Watched {
        let thread = self.thread.as_ref().expect("it is there until this is dropped");
        Watched { thread: thread.thread().clone(), state: Arc::clone(&self.state) }
    }

    /// Has all threads that stand by go on, and end if their event loop does.
    pub fn end(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.loops.iter().for_each(|here| here.end());
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It does nothing that can panic.
            let _ = thread.join();
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.end();
    }
}

fn look_after(state: &State, loops: &[(Arc<Here>, Handle)]) {
    for (here, threads) in loops {
        threads.spawn(stand_by(Arc::clone(here)));
    }
    // When the late calls began that somebody else goes on for; zero: there is none.
    let mut late = vec![0; loops.len()];
    while !state.ended.load(Ordering::SeqCst) {
        let now_ns = monotonic_ns();
        for ((here, threads), late) in loops.iter().zip(&mut late) {
            let began_ns = here.begun_ns();
            if *late != 0 && *late != began_ns {
                *late = 0;
                threads.spawn(stand_by(Arc::clone(here)));
            }
            let is_late = now_ns.saturating_sub(began_ns) >= nanoseconds(LATE);
            if began_ns != 0 && is_late && *late == 0 {
                *late = began_ns;
                here.call_one();
            }
        }
        let quiet_ns = now_ns.saturating_sub(state.last_ns.load(Ordering::Relaxed));
        if quiet_ns < nanoseconds(REST) || late.iter().any(|late| *late != 0) {
            thread::sleep(LOOK);
            continue;
        }
        state.rests.store(true, Ordering::SeqCst);
        // A call that began before it could see that the watchdog rests is seen here.
        if loops.iter().all(|(here, _)| here.begun_ns() == 0) && !state.ended.load(Ordering::SeqCst)
        {
            thread::park();
        }
        state.rests.store(false, Ordering::SeqCst);
    }
}

fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_is_served_here_at_a_time() {
        let here = Here::new();
        let watched = Watched { thread: thread::current(), state: Arc::default() };
        let first = here.enter(&watched).expect("nobody serves");
        assert!(here.enter(&watched).is_none(), "another thread would serve the same loop");
        drop(first);
        assert!(here.enter(&watched).is_some());
    }
}
