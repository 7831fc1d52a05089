//! A clock that advances only on request, for tests.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use nix::time::ClockId;

/// The first reading of a simulated clock. It is not zero, so that an uninitialised time stamp
/// shows.
const BEGIN_NS: u64 = 1_000_000_000;

thread_local! {
    static CURRENT: RefCell<Option<SimulatedClock>> = const { RefCell::new(None) };
}

/// A clock that advances only in [`work`](Self::work), in [`idle`](Self::idle) and in
/// `clock::sleep`. Clones share the same time.
#[derive(Clone, Debug)]
pub struct SimulatedClock(Arc<Times>);

#[derive(Debug)]
struct Times {
    monotonic_ns: AtomicU64,
    cpu_ns: AtomicU64,
}

impl SimulatedClock {
    /// A clock that no thread reads yet.
    #[expect(clippy::new_without_default, reason = "a default clock would suggest the machine's")]
    pub fn new() -> Self {
        Self(Arc::new(Times {
            monotonic_ns: AtomicU64::new(BEGIN_NS),
            cpu_ns: AtomicU64::new(BEGIN_NS),
        }))
    }

    /// Makes module `clock` return this clock's time to the calling thread, until the returned
    /// value is dropped. Other threads may enter a clone.
    #[must_use]
    pub fn enter(&self) -> Entered {
        let outer = CURRENT.replace(Some(self.clone()));
        Entered { outer, _not_send: PhantomData }
    }

    /// The current time, in nanoseconds.
    pub fn now_ns(&self) -> u64 {
        self.0.monotonic_ns.load(SeqCst)
    }

    /// The CPU time used, in nanoseconds.
    pub fn cpu_ns(&self) -> u64 {
        self.0.cpu_ns.load(SeqCst)
    }

    /// Advances the time and the CPU time.
    pub fn work(&self, duration: Duration) {
        self.0.cpu_ns.fetch_add(nanos(duration), SeqCst);
        self.idle(duration);
    }

    /// Advances the time only.
    pub fn idle(&self, duration: Duration) {
        self.0.monotonic_ns.fetch_add(nanos(duration), SeqCst);
    }
}

/// While it exists, its thread reads a simulated clock.
#[derive(Debug)]
pub struct Entered {
    outer: Option<SimulatedClock>,
    /// The clock is entered on one thread, so the value must not move to another.
    _not_send: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.replace(self.outer.take());
    }
}

/// The reading of `clock` on the entered clock; `None` if the thread has entered none. All CPU-time
/// clocks are the same.
pub(crate) fn read(clock: ClockId) -> Option<u64> {
    CURRENT.with_borrow(|current| {
        let current = current.as_ref()?;
        Some(if clock == ClockId::CLOCK_MONOTONIC { current.now_ns() } else { current.cpu_ns() })
    })
}

/// Sleeps on the entered clock; returns `false` if the thread has entered none.
pub(crate) fn sleep(duration: Duration) -> bool {
    CURRENT.with_borrow(|current| match current {
        Some(clock) => {
            clock.idle(duration);
            true
        }
        None => false,
    })
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("simulated durations are shorter than 584 years")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{monotonic_ns, process_cpu_ns, sleep, thread_cpu_ns};

    #[test]
    fn time_advances_only_on_request() {
        let clock = SimulatedClock::new();
        let entered = clock.enter();
        let begin = [monotonic_ns(), thread_cpu_ns(), process_cpu_ns()];
        assert_eq!([monotonic_ns(), thread_cpu_ns(), process_cpu_ns()], begin);
        sleep(Duration::from_secs(3600));
        clock.work(Duration::from_nanos(7));
        let passed = [monotonic_ns() - begin[0], thread_cpu_ns() - begin[1]];
        assert_eq!(passed, [3_600_000_000_007, 7]);
        drop(entered);
        assert_ne!(monotonic_ns(), clock.now_ns(), "the machine's clock is active again");
    }

    #[test]
    fn threads_share_the_clock_that_they_enter() {
        let clock = SimulatedClock::new();
        let _entered = clock.enter();
        let begin_ns = monotonic_ns();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _entered = clock.enter();
                sleep(Duration::from_nanos(5));
            });
        });
        assert_eq!(monotonic_ns() - begin_ns, 5);
    }
}
