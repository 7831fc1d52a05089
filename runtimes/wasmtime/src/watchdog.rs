//! Ends what runs past its deadline, at no cost for what does not.
//!
//! Machine code looks at its engine's epoch in every loop and function; when the epoch
//! has moved, the guest yields and [`crate::executor`] sees that its time is up. So the
//! epoch has to move soon after each deadline, and there is no need for it to tick: one
//! thread sleeps until the earliest deadline that is armed. Arming is one atomic store;
//! the thread is woken only when it would oversleep. While an instance is warm and its
//! invocations are short, that is about once in each timeout.
//!
//! A moved epoch makes every running guest of the engine yield once, which is harmless.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use lumos_os::clock::monotonic_ns;
use wasmtime::Engine;

/// A deadline that never comes: nothing is armed.
const NEVER: u64 = u64::MAX;

/// The thread that moves the epoch of one engine. Dropping it ends the thread.
pub struct Watchdog {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// One instance's alarm clock.
pub struct Alarm {
    deadline_ns: Arc<AtomicU64>,
    thread: Thread,
    shared: Arc<Shared>,
}

struct Shared {
    /// When the thread wakes of itself. `NEVER` also while it looks at the slots, so
    /// that whoever arms meanwhile wakes it again.
    planned_ns: AtomicU64,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    all: Vec<Arc<AtomicU64>>,
    free: Vec<Arc<AtomicU64>>,
    stop: bool,
}

impl Watchdog {
    pub fn start(engine: Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { planned_ns: NEVER.into(), slots: Mutex::default() });
        let watched = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("epoch-watchdog".into())
            .spawn(move || watched.watch(|| engine.increment_epoch()))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// An alarm clock for one instance.
    pub fn alarm(&self) -> Alarm {
        let mut slots = self.shared.lock();
        let deadline_ns = slots.free.pop().unwrap_or_else(|| {
            let slot = Arc::new(AtomicU64::new(NEVER));
            slots.all.push(Arc::clone(&slot));
            slot
        });
        drop(slots);
        let thread = self.thread.as_ref().expect("taken by drop only").thread().clone();
        Alarm { deadline_ns, thread, shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // An error would be the thread's panic, which has been printed.
            let _ = thread.join();
        }
    }
}

impl Alarm {
    /// Has the epoch moved soon after `deadline_ns` of the monotonic clock.
    #[inline]
    pub fn arm(&self, deadline_ns: u64) {
        self.deadline_ns.store(deadline_ns, SeqCst);
        // Sequentially consistent against `watch`, which stores the plan and then reads
        // the slots: either it sees this deadline or this sees its plan.
        if self.shared.planned_ns.load(SeqCst) > deadline_ns {
            self.thread.unpark();
        }
    }

    /// Takes the deadline back. The thread may wake once for it all the same.
    #[inline]
    pub fn disarm(&self) {
        self.deadline_ns.store(NEVER, SeqCst);
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.disarm();
        self.shared.lock().free.push(Arc::clone(&self.deadline_ns));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().expect("nothing panics while it holds the slots")
    }

    fn watch(&self, move_epoch: impl Fn()) {
        loop {
            self.planned_ns.store(NEVER, SeqCst);
            let now = monotonic_ns();
            let Some(Look { any_due, next_ns }) = self.look(now) else { return };
            if any_due {
                move_epoch();
            }
            self.planned_ns.store(next_ns, SeqCst);
            // Either returns early, and at once when woken since the last time.
            match next_ns {
                NEVER => std::thread::park(),
                next => std::thread::park_timeout(Duration::from_nanos(next - now)),
            }
        }
    }

    /// Takes the deadlines that have passed; `None`: stop.
    fn look(&self, now: u64) -> Option<Look> {
        let slots = self.lock();
        let mut look = Look { any_due: false, next_ns: NEVER };
        for slot in &slots.all {
            let deadline = slot.load(SeqCst);
            if deadline > now {
                look.next_ns = look.next_ns.min(deadline);
            } else {
                look.any_due = true;
                // Once is enough: the guest yields whenever it comes to look. A failure
                // means that the slot was armed anew, and that will wake the thread.
                let _ = slot.compare_exchange(deadline, NEVER, SeqCst, SeqCst);
            }
        }
        (!slots.stop).then_some(look)
    }
}

struct Look {
    any_due: bool,
    next_ns: u64,
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A watched `Shared` that reports when it moves the epoch.
    fn watchdog() -> (Watchdog, mpsc::Receiver<u64>) {
        let shared = Arc::new(Shared { planned_ns: NEVER.into(), slots: Mutex::default() });
        let watched = Arc::clone(&shared);
        let (moved, moves) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            watched.watch(|| {
                let _ = moved.send(monotonic_ns());
            })
        });
        (Watchdog { shared, thread: Some(thread) }, moves)
    }

    const MS: u64 = 1_000_000;

    #[test]
    fn the_epoch_moves_after_each_deadline_and_never_before() {
        let (watchdog, moves) = watchdog();
        let (late, early) = (watchdog.alarm(), watchdog.alarm());
        let start = monotonic_ns();
        late.arm(start + 40 * MS);
        early.arm(start + 10 * MS);
        assert!(moves.recv().unwrap() >= start + 10 * MS);
        assert!(moves.recv().unwrap() >= start + 40 * MS);
        drop(watchdog);
        assert!(moves.recv().is_err(), "it moved a third time");
    }

    #[test]
    fn what_is_disarmed_moves_nothing() {
        let (watchdog, moves) = watchdog();
        let (short, long) = (watchdog.alarm(), watchdog.alarm());
        let start = monotonic_ns();
        short.arm(start + 5 * MS);
        short.disarm();
        long.arm(start + 20 * MS);
        assert!(moves.recv().unwrap() >= start + 20 * MS);
    }

    #[test]
    fn slots_are_used_again() {
        let (watchdog, _moves) = watchdog();
        for _ in 0..100 {
            watchdog.alarm().arm(monotonic_ns() + 60_000 * MS);
        }
        assert_eq!(watchdog.shared.lock().all.len(), 1);
    }
}
