//! A clock that moves when it is told to.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use nix::time::ClockId;

/// Where a simulated clock begins: no difference of two readings can hide behind zero.
const BEGIN_NS: u64 = 1_000_000_000;

thread_local! {
    static CURRENT: RefCell<Option<SimulatedClock>> = const { RefCell::new(None) };
}

/// Time that passes only in [`work`](Self::work), in [`idle`](Self::idle), and in
/// `clock::sleep`. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct SimulatedClock(Arc<Times>);

#[derive(Debug)]
struct Times {
    monotonic_ns: AtomicU64,
    cpu_ns: AtomicU64,
}

impl SimulatedClock {
    /// A clock that nobody reads yet.
    #[expect(clippy::new_without_default, reason = "a clock is made, not defaulted to")]
    pub fn new() -> Self {
        Self(Arc::new(Times {
            monotonic_ns: AtomicU64::new(BEGIN_NS),
            cpu_ns: AtomicU64::new(BEGIN_NS),
        }))
    }

    /// Makes the module `clock` tell this clock's time to the calling thread, until what is
    /// returned is dropped. Other threads may enter a clone.
    #[must_use]
    pub fn enter(&self) -> Entered {
        let outer = CURRENT.replace(Some(self.clone()));
        Entered { outer, _here: PhantomData }
    }

    /// Now, in nanoseconds.
    pub fn now_ns(&self) -> u64 {
        self.0.monotonic_ns.load(SeqCst)
    }

    /// CPU time spent, in nanoseconds.
    pub fn cpu_ns(&self) -> u64 {
        self.0.cpu_ns.load(SeqCst)
    }

    /// Time passes, and the CPU works.
    pub fn work(&self, duration: Duration) {
        self.0.cpu_ns.fetch_add(nanos(duration), SeqCst);
        self.idle(duration);
    }

    /// Time passes, and the CPU rests.
    pub fn idle(&self, duration: Duration) {
        self.0.monotonic_ns.fetch_add(nanos(duration), SeqCst);
    }
}

/// A thread under a simulated clock.
#[derive(Debug)]
pub struct Entered {
    outer: Option<SimulatedClock>,
    /// It belongs to one thread.
    _here: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.replace(self.outer.take());
    }
}

/// What `clock` says where time is simulated. Every clock of CPU time is the same one.
pub(crate) fn read(clock: ClockId) -> Option<u64> {
    CURRENT.with_borrow(|current| {
        let current = current.as_ref()?;
        Some(if clock == ClockId::CLOCK_MONOTONIC { current.now_ns() } else { current.cpu_ns() })
    })
}

/// Sleeps where time is simulated; `false`: it is not.
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
    u64::try_from(duration.as_nanos()).expect("less than 500 years")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{monotonic_ns, process_cpu_ns, sleep, thread_cpu_ns};

    #[test]
    fn time_passes_when_it_is_told_to() {
        let clock = SimulatedClock::new();
        let entered = clock.enter();
        let begin = [monotonic_ns(), thread_cpu_ns(), process_cpu_ns()];
        assert_eq!([monotonic_ns(), thread_cpu_ns(), process_cpu_ns()], begin);
        sleep(Duration::from_secs(3600));
        clock.work(Duration::from_nanos(7));
        let passed = [monotonic_ns() - begin[0], thread_cpu_ns() - begin[1]];
        assert_eq!(passed, [3_600_000_000_007, 7]);
        drop(entered);
        assert_ne!(monotonic_ns(), clock.now_ns(), "the machine's clock is back");
    }

    #[test]
    fn threads_share_a_clock_that_they_enter() {
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
