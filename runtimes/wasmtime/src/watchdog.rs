//! Ends invocations that exceed their deadline, at no cost to those that do not.
//!
//! Machine code checks its engine's epoch in every loop and function. When the epoch has moved,
//! the guest yields and the executor notices the deadline. The epoch must move soon after each
//! deadline, but it need not tick: one thread sleeps until the earliest armed deadline. Arming
//! is one atomic store. The thread is woken only if it would oversleep, which happens about
//! once per timeout while an instance is warm and its invocations are short.
//!
//! A moved epoch makes every running guest of the engine yield once, which is harmless.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use lumos_os::clock::monotonic_ns;
use wasmtime::Engine;

/// The deadline of a slot that is not armed.
const NEVER: u64 = u64::MAX;

/// The thread that moves the epoch of one engine. Dropping it ends the thread.
pub struct Watchdog {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// The alarm of one instance.
pub struct Alarm {
    deadline_ns: Arc<AtomicU64>,
    thread: Thread,
    shared: Arc<Shared>,
}

struct Shared {
    /// When the thread wakes by itself. It is `NEVER` while the thread reads the slots, so that
    /// arming during that time wakes it again.
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

    /// An alarm for one instance.
    pub fn alarm(&self) -> Alarm {
        let mut slots = self.shared.lock();
        let deadline_ns = slots.free.pop().unwrap_or_else(|| {
            let slot = Arc::new(AtomicU64::new(NEVER));
            slots.all.push(Arc::clone(&slot));
            slot
        });
        drop(slots);
        let thread = self.thread.as_ref().expect("only drop takes it").thread().clone();
        Alarm { deadline_ns, thread, shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // An error would be a panic of the thread, which was printed already.
            let _ = thread.join();
        }
    }
}

impl Alarm {
    /// Makes the epoch move soon after `deadline_ns` of the monotonic clock.
    #[inline]
    pub fn arm(&self, deadline_ns: u64) {
        self.deadline_ns.store(deadline_ns, SeqCst);
        // Sequentially consistent with `watch`, which stores its plan and then reads the slots:
        // either it sees this deadline, or this thread sees its plan.
        if self.shared.planned_ns.load(SeqCst) > deadline_ns {
            self.thread.unpark();
        }
    }

    /// Cancels the deadline. The thread may still wake for it once.
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
        self.slots.lock().expect("no thread panics while it holds the slots")
    }

    fn watch(&self, move_epoch: impl Fn()) {
        loop {
            self.planned_ns.store(NEVER, SeqCst);
            let now = monotonic_ns();
            let Some(Due { any, next_ns }) = self.take_due(now) else { return };
            if any {
                move_epoch();
            }
            self.planned_ns.store(next_ns, SeqCst);
            // Both return early if the thread was unparked meanwhile.
            match next_ns {
                NEVER => std::thread::park(),
                next => std::thread::park_timeout(Duration::from_nanos(next - now)),
            }
        }
    }

    /// Takes the deadlines that have passed; `None` if the thread must stop.
    fn take_due(&self, now: u64) -> Option<Due> {
        let slots = self.lock();
        let mut due = Due { any: false, next_ns: NEVER };
        for slot in &slots.all {
            let deadline = slot.load(SeqCst);
            if deadline > now {
                due.next_ns = due.next_ns.min(deadline);
            } else {
                due.any = true;
                // Once is enough: the guest yields at its next check. A failure means that the
                // slot was armed again, which wakes this thread.
                let _ = slot.compare_exchange(deadline, NEVER, SeqCst, SeqCst);
            }
        }
        (!slots.stop).then_some(due)
    }
}

struct Due {
    /// Whether any deadline has passed.
    any: bool,
    /// The earliest deadline that has not.
    next_ns: u64,
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A watchdog that reports the times at which it moves the epoch.
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
    fn a_disarmed_deadline_does_not_move_the_epoch() {
        let (watchdog, moves) = watchdog();
        let (short, long) = (watchdog.alarm(), watchdog.alarm());
        let start = monotonic_ns();
        short.arm(start + 5 * MS);
        short.disarm();
        long.arm(start + 20 * MS);
        assert!(moves.recv().unwrap() >= start + 20 * MS);
    }

    #[test]
    fn slots_are_reused() {
        let (watchdog, _moves) = watchdog();
        for _ in 0..100 {
            watchdog.alarm().arm(monotonic_ns() + 60_000 * MS);
        }
        assert_eq!(watchdog.shared.lock().all.len(), 1);
    }
}
