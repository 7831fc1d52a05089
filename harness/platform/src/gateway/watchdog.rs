//! A thread that looks for inline calls which delay their event loop.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lumos_os::clock::monotonic_ns;

use super::activity::Activity;
use super::event_loop::EventLoop;

/// How often the calls in progress are checked.
const CHECK_INTERVAL: Duration = Duration::from_millis(2);
/// How long a call may delay the other connections of its loop. The kernel's scheduler may
/// interrupt any call for a slice of some 3 ms.
const MAX_DELAY_NS: u64 = Duration::from_millis(5).as_nanos() as u64;
/// After this time without a call, the watchdog sleeps until the next one.
const PARK_AFTER_NS: u64 = Duration::from_secs(1).as_nanos() as u64;

/// The watchdog of all event loops; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Watchdog {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    loops: Vec<Arc<EventLoop>>,
}

impl Watchdog {
    /// Starts the watchdog. It makes one thread of each loop stand by: without the watchdog
    /// nothing would resume that thread.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(super) fn start(
        loops: Vec<Arc<EventLoop>>,
        activity: Arc<Activity>,
    ) -> std::io::Result<Self> {
        let stop = Arc::<AtomicBool>::default();
        let (stopped, watched) = (Arc::clone(&stop), loops.clone());
        let thread = thread::Builder::new()
            .name("gateway-watchdog".to_owned())
            .spawn(move || watch(&watched, &activity, &stopped))?;
        Ok(Self { thread: Some(thread), stop, loops })
    }

    /// Ends the watchdog, and releases the stand-by threads so that their loops can end.
    pub(super) fn stop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.loops.iter().for_each(|event_loop| event_loop.end_standby());
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The watchdog does nothing that can panic.
            let _ = thread.join();
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop();
    }
}

fn watch(loops: &[Arc<EventLoop>], activity: &Activity, stop: &AtomicBool) {
    let stopped = || stop.load(Ordering::SeqCst);
    loops.iter().for_each(EventLoop::keep_standby);
    let mut watched: Vec<_> = loops.iter().map(WatchedLoop::new).collect();
    while !stopped() {
        let now_ns = monotonic_ns();
        watched.iter_mut().for_each(|event_loop| event_loop.check(now_ns));
        let any_late = watched.iter().any(|event_loop| event_loop.late_call_ns.is_some());
        if any_late || activity.quiet_ns(now_ns) < PARK_AFTER_NS {
            thread::sleep(CHECK_INTERVAL);
            continue;
        }
        let in_call = |event_loop: &Arc<EventLoop>| event_loop.inline_call_ns().is_some();
        activity.park_unless(|| stopped() || loops.iter().any(in_call));
    }
}

/// An event loop, as the watchdog has last seen it.
struct WatchedLoop<'l> {
    event_loop: &'l Arc<EventLoop>,
    /// Begin of the late call for which the stand-by thread works.
    late_call_ns: Option<NonZeroU64>,
}

impl<'l> WatchedLoop<'l> {
    fn new(event_loop: &'l Arc<EventLoop>) -> Self {
        Self { event_loop, late_call_ns: None }
    }

    fn check(&mut self, now_ns: u64) {
        let call_ns = self.event_loop.inline_call_ns();
        if self.late_call_ns.is_some() && self.late_call_ns != call_ns {
            // The late call has ended: two threads work now.
            self.late_call_ns = None;
            self.event_loop.keep_standby();
        }
        let late = call_ns.filter(|call_ns| now_ns.saturating_sub(call_ns.get()) >= MAX_DELAY_NS);
        if late.is_some() && self.late_call_ns.is_none() {
            self.late_call_ns = late;
            self.event_loop.resume_standby();
        }
    }
}
