//! One event loop: a tokio runtime with two worker threads and connections of its own.
//!
//! Handing a request to another thread and its response back costs two wake-ups, more than a
//! short function takes. So a short function is called *inline*, on the thread that has read
//! its request. One of the two threads works and the other stands by. If an inline call takes
//! longer than expected, the watchdog lets the stand-by thread work for the loop; the delayed
//! thread stands by afterwards.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use lumos_os::clock::monotonic_ns;
use tokio::runtime::Handle;

use super::activity::Activity;
use super::standby::StandBy;

/// One event loop, as its connections and the watchdog see it.
#[derive(Debug)]
pub(super) struct EventLoop {
    pub(super) runtime: Handle,
    connections: AtomicUsize,
    /// Begin of the inline call in progress, nanoseconds of `CLOCK_MONOTONIC`; zero if none.
    inline_call_ns: AtomicU64,
    activity: Arc<Activity>,
    standby: StandBy,
}

impl EventLoop {
    /// `runtime` must have two worker threads.
    pub(super) fn new(runtime: Handle, activity: Arc<Activity>) -> Self {
        Self {
            runtime,
            connections: AtomicUsize::new(0),
            inline_call_ns: AtomicU64::new(0),
            activity,
            standby: StandBy::default(),
        }
    }

    /// Begins an inline call; `None` if one is in progress: this is the former stand-by thread,
    /// which no other thread could replace.
    pub(super) fn begin_inline_call(&self) -> Option<InlineCall<'_>> {
        let now_ns = monotonic_ns();
        self.inline_call_ns
            .compare_exchange(0, now_ns, Ordering::SeqCst, Ordering::Relaxed)
            .ok()?;
        self.activity.call_began(now_ns);
        Some(InlineCall(self))
    }

    /// When the inline call in progress began.
    pub(super) fn inline_call_ns(&self) -> Option<NonZeroU64> {
        NonZeroU64::new(self.inline_call_ns.load(Ordering::SeqCst))
    }

    /// Makes one of the worker threads stand by.
    pub(super) fn keep_standby(self: &Arc<Self>) {
        let this = Arc::clone(self);
        self.runtime.spawn(async move { this.standby.block(this.runtime.clone()).await });
    }

    /// Lets the stand-by thread work for this loop.
    pub(super) fn resume_standby(&self) {
        self.standby.resume_one();
    }

    /// Releases all threads that stand by, so that the runtime can end.
    pub(super) fn end_standby(&self) {
        self.standby.end();
    }
}

/// An inline call in progress; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct InlineCall<'l>(&'l EventLoop);

impl Drop for InlineCall<'_> {
    fn drop(&mut self) {
        self.0.inline_call_ns.store(0, Ordering::SeqCst);
    }
}

/// The place of one connection in an event loop; freed when it is dropped.
#[derive(Debug)]
pub(super) struct ConnectionSlot(Arc<EventLoop>);

impl ConnectionSlot {
    /// In the loop that has the fewest connections.
    pub(super) fn in_least_loaded(loops: &[Arc<EventLoop>]) -> Self {
        let connections =
            |event_loop: &&Arc<EventLoop>| event_loop.connections.load(Ordering::Relaxed);
        let least = loops.iter().min_by_key(connections).expect("there is at least one loop");
        least.connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(least))
    }

    pub(super) fn event_loop(&self) -> &Arc<EventLoop> {
        &self.0
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Runtime;

    use super::*;

    fn event_loops(runtime: &Runtime, count: usize) -> Vec<Arc<EventLoop>> {
        let event_loop = || EventLoop::new(runtime.handle().clone(), Arc::default());
        (0..count).map(|_| Arc::new(event_loop())).collect()
    }

    #[test]
    fn connection_goes_to_the_loop_with_the_fewest() {
        let runtime = Runtime::new().unwrap();
        let loops = event_loops(&runtime, 3);
        let slot = || ConnectionSlot::in_least_loaded(&loops);
        let index = |slot: &ConnectionSlot| {
            loops
                .iter()
                .position(|event_loop| Arc::ptr_eq(event_loop, slot.event_loop()))
                .expect("the slot is in one of the loops")
        };
        let mut slots: Vec<_> = (0..6).map(|_| slot()).collect();
        assert_eq!(slots.iter().map(index).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2]);
        drop(slots.remove(4));
        assert_eq!(index(&slot()), 1);
    }

    #[test]
    fn an_event_loop_has_one_inline_call_at_a_time() {
        let runtime = Runtime::new().unwrap();
        let event_loop = event_loops(&runtime, 1).remove(0);
        let first = event_loop.begin_inline_call().expect("no call is in progress");
        assert!(event_loop.begin_inline_call().is_none(), "a second thread would call inline");
        drop(first);
        assert!(event_loop.begin_inline_call().is_some());
    }
}
