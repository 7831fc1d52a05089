//! Ends invocations that exceed their deadline, at no cost to those that do not.
//!
//! WasmEdge's own interruption (`interruptible`) puts an atomic exchange at each loop head,
//! which would be measured with the guest. Its asynchronous invocation starts a thread for each
//! call. Instead, one thread of the process sleeps until the earliest deadline. Arming is an
//! atomic store. The thread is woken only for a deadline before the one that it sleeps for;
//! with one timeout for all invocations that is the first deadline only.
//!
//! An invocation whose deadline has passed is *fired*, every millisecond until it ends:
//! - the interpreter's stop token is set, which it reads at each branch;
//! - compiled code gets a signal, whose handler redirects it into a fault ([`interrupt`]). If
//!   that fails because the thread is rarely in guest code, the code is made not executable, so
//!   that the guest faults when it returns to it;
//! - in all modes the signal ends a blocking system call of the guest with `EINTR`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use lumos_os::clock::monotonic_ns;

use crate::interrupt;
use crate::maps::{self, CodeHome};
use crate::slot::{Slot, State};
use crate::stop_token::StopToken;

/// The wake-up time of a watchdog that sleeps until it is woken.
const NEVER: u64 = u64::MAX;

/// Pause between two attempts to stop an invocation.
const RETRY_NS: u64 = 1_000_000;
/// Attempts by signal alone. The first one stops a guest that computes.
const SIGNALS: i32 = 3;

/// Whether the code of some guest is not executable.
static FROZEN: AtomicBool = AtomicBool::new(false);

/// Registers an instance with the watchdog. Dropping it ends the registration.
pub(crate) struct Watch(Arc<Slot>);

impl Watch {
    /// Registers an instance whose compiled code lies in `home` and whose executor has the
    /// token `stop`.
    pub fn new(home: CodeHome, stop: StopToken) -> Self {
        let slot = Arc::new(Slot::new(home, stop));
        Watchdog::get().slots().push(Arc::clone(&slot));
        Self(slot)
    }

    /// Arms the watchdog: from `deadline_ns` on, it stops the guest code that this thread runs.
    /// Guest code must only run between this call and [`disarm`](Self::disarm).
    #[inline]
    pub fn arm(&self, deadline_ns: u64) {
        let slot = &*self.0;
        slot.thread.store(interrupt::enter(slot), SeqCst);
        let deadline_ns = slot.arm(deadline_ns);
        if FROZEN.load(SeqCst) {
            self.arm_after_thaw(deadline_ns);
        }
        let watchdog = Watchdog::get();
        if deadline_ns < watchdog.wakes_ns.load(SeqCst) {
            watchdog.thread.unpark();
        }
    }

    #[cold]
    fn arm_after_thaw(&self, deadline_ns: u64) {
        while FROZEN.load(SeqCst) {
            if !self.0.disarm() {
                // It is firing already: the guest will not get far.
                return;
            }
            std::thread::sleep(Duration::from_nanos(RETRY_NS / 10));
            self.0.arm(deadline_ns);
        }
    }

    /// Disarms the watchdog. Returns whether the deadline had passed and the guest was being
    /// stopped.
    #[inline]
    pub fn disarm(&self) -> bool {
        let fired = !self.0.disarm();
        if fired {
            self.settle();
        }
        interrupt::leave();
        fired
    }

    /// Waits until the watchdog has finished with this invocation and no signal is pending.
    #[cold]
    fn settle(&self) {
        let slots = Watchdog::get().slots();
        if self.0.code.is_frozen() {
            self.0.code.thaw();
            FROZEN.store(false, SeqCst);
        }
        self.0.end_firing();
        drop(slots);
        // Signals that were sent already are delivered when a system call returns.
        std::thread::yield_now();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        Watchdog::get().slots().retain(|slot| !Arc::ptr_eq(slot, &self.0));
    }
}

struct Watchdog {
    /// When the thread wakes by itself, in nanoseconds of the monotonic clock.
    wakes_ns: Arc<AtomicU64>,
    slots: Arc<Mutex<Vec<Arc<Slot>>>>,
    thread: Thread,
}

impl Watchdog {
    fn get() -> &'static Self {
        static WATCHDOG: OnceLock<Watchdog> = OnceLock::new();
        WATCHDOG.get_or_init(Self::start)
    }

    fn start() -> Self {
        interrupt::install();
        let wakes_ns = Arc::new(AtomicU64::new(NEVER));
        let slots = Arc::new(Mutex::new(Vec::new()));
        let (wakes, watched) = (Arc::clone(&wakes_ns), Arc::clone(&slots));
        let thread = std::thread::Builder::new()
            .name("watchdog".to_owned())
            .stack_size(128 << 10)
            .spawn(move || watch(&watched, &wakes))
            .expect("a host process can start a thread")
            .thread()
            .clone();
        Self { wakes_ns, slots, thread }
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Arc<Slot>>> {
        lock(&self.slots)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The watchdog's thread.
fn watch(slots: &Mutex<Vec<Arc<Slot>>>, wakes_ns: &AtomicU64) {
    loop {
        let all = lock(slots);
        let next_ns = all.iter().filter_map(|slot| visit(slot, &all)).min().unwrap_or(NEVER);
        wakes_ns.store(next_ns, SeqCst);
        // A slot that was armed before that store did not see it and did not wake this thread.
        let missed = earliest(&all) < next_ns;
        drop(all);
        match next_ns {
            _ if missed => {}
            NEVER => std::thread::park(),
            _ => std::thread::park_timeout(Duration::from_nanos(
                next_ns.saturating_sub(monotonic_ns()),
            )),
        }
    }
}

/// Fires an invocation whose deadline has passed. Returns when to visit the slot again.
fn visit(slot: &Slot, all: &[Arc<Slot>]) -> Option<u64> {
    let now_ns = monotonic_ns();
    match slot.state() {
        State::Idle => None,
        State::Firing => {
            fire(slot, all);
            Some(now_ns + RETRY_NS)
        }
        State::Armed(due_ns) if due_ns <= now_ns => {
            if slot.begin_firing(due_ns) {
                fire(slot, all);
            }
            Some(now_ns + RETRY_NS)
        }
        State::Armed(due_ns) => Some(due_ns),
    }
}

/// Makes one attempt to stop the invocation of `slot`, which is one of `all`.
fn fire(slot: &Slot, all: &[Arc<Slot>]) {
    let attempt = slot.attempts.fetch_add(1, SeqCst);
    if attempt == 0 {
        slot.code.set(&maps::executable(&slot.home).unwrap_or_default());
        if slot.code.is_empty() {
            slot.stop.set();
        }
    }
    if attempt >= SIGNALS && !slot.code.is_empty() {
        freeze(slot, all);
    }
    if !slot.code.is_hit() {
        interrupt::send(slot.thread.load(SeqCst));
    }
}

/// Makes the guest's code not executable, unless another instance runs it now. No instance
/// starts to run it until it is executable again, because [`Watch::arm`] waits for that.
fn freeze(slot: &Slot, all: &[Arc<Slot>]) {
    if slot.code.is_frozen() || FROZEN.swap(true, SeqCst) {
        return;
    }
    let mut others =
        all.iter().filter(|other| other.home == slot.home && !std::ptr::eq(&***other, slot));
    if others.all(|other| other.state() == State::Idle) {
        slot.code.freeze();
    } else {
        FROZEN.store(false, SeqCst);
    }
}

/// The earliest deadline of an armed slot.
fn earliest(slots: &[Arc<Slot>]) -> u64 {
    let deadlines = slots.iter().filter_map(|slot| match slot.state() {
        State::Armed(deadline_ns) => Some(deadline_ns),
        State::Idle | State::Firing => None,
    });
    deadlines.min().unwrap_or(NEVER)
}
