//! Ends invocations that pass their deadline, at no cost to those that do not.
//!
//! WasmEdge's own interruption (`interruptible`) puts an atomic exchange at each loop
//! head and would be measured with the guest, and its asynchronous invocation starts a
//! thread for each call. Instead one thread a process sleeps until the earliest
//! deadline. To arm is an atomic store; the thread is woken only for a deadline before
//! the one that it sleeps for, which with one timeout for all is the first.
//!
//! A passed deadline is *fired*, every millisecond until the invocation ends:
//! - the interpreter's stop token is set, which it reads at each branch;
//! - compiled code gets a signal whose handler sends it into a fault (see
//!   [`interrupt`]); where that fails because the thread is hardly ever in guest code,
//!   the code is made not executable, so that the guest faults when it gets there;
//! - in all modes the signal ends a blocking system call of the guest with `EINTR`.
//!
//! States pass from armed to [`IDLE`] (by the invocation) or to [`FIRING`] (by the
//! watchdog) by compare and exchange, so a late watchdog cannot hit a later invocation.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use lumos_os::clock::monotonic_ns;

use crate::interrupt::{self, GuestCode};
use crate::maps::{self, CodeHome};
use crate::vm::StopToken;

/// No invocation runs.
const IDLE: u64 = 0;
/// The invocation's deadline has passed and it is being stopped.
const FIRING: u64 = u64::MAX;
/// Nothing is armed, so the watchdog sleeps until it is woken.
const NEVER: u64 = u64::MAX;

/// Pause between two attempts to stop one invocation.
const RETRY_NS: u64 = 1_000_000;
/// Attempts by signal alone. A guest that computes is stopped by the first.
const SIGNALS: i32 = 3;

/// What the watchdog knows of an instance.
pub struct Slot {
    /// [`IDLE`], [`FIRING`], or the deadline in nanoseconds of the monotonic clock.
    state: AtomicU64,
    /// The kernel's id of the thread that invokes.
    thread: AtomicI32,
    /// Attempts to stop the invocation so far.
    attempts: AtomicI32,
    home: CodeHome,
    code: GuestCode,
    stop: StopToken,
}

impl Slot {
    /// Whether the invocation is being stopped.
    pub(crate) fn is_firing(&self) -> bool {
        self.state.load(SeqCst) == FIRING
    }

    /// Where the guest's compiled code lies; known once it is firing.
    pub(crate) fn code(&self) -> &GuestCode {
        &self.code
    }

    fn is_idle(&self) -> bool {
        self.state.load(SeqCst) == IDLE
    }

    /// Makes one attempt to stop the invocation. `all` are all instances, this one too.
    fn fire(&self, all: &[Arc<Slot>]) {
        let attempt = self.attempts.fetch_add(1, SeqCst);
        if attempt == 0 {
            self.code.set(&maps::executable(&self.home).unwrap_or_default());
            if self.code.is_empty() {
                self.stop.set();
            }
        }
        if attempt >= SIGNALS && !self.code.is_empty() {
            self.freeze(all);
        }
        if !self.code.is_hit() {
            interrupt::send(self.thread.load(SeqCst));
        }
    }

    /// Makes the guest's code not executable, unless another instance runs it now. None
    /// begins to until it is executable again: [`Watch::arm`] waits.
    fn freeze(&self, all: &[Arc<Slot>]) {
        if self.code.is_frozen() || FROZEN.swap(true, SeqCst) {
            return;
        }
        let others = all.iter().filter(|slot| slot.home == self.home);
        if others.filter(|slot| !std::ptr::eq(&***slot, self)).all(|slot| slot.is_idle()) {
            self.code.freeze();
        } else {
            FROZEN.store(false, SeqCst);
        }
    }

    /// Ends the attempts.
    fn settle(&self) {
        if self.code.is_frozen() {
            self.code.thaw();
            FROZEN.store(false, SeqCst);
        }
        self.code.clear();
        self.attempts.store(0, SeqCst);
        self.state.store(IDLE, SeqCst);
    }
}

/// Whether some guest's code is not executable.
static FROZEN: AtomicBool = AtomicBool::new(false);

/// An instance's hold on the watchdog; dropping it ends the watch.
pub struct Watch(Arc<Slot>);

impl Watch {
    /// Registers an instance whose compiled code lies in `home` and whose executor
    /// `stop` belongs to.
    pub fn new(home: CodeHome, stop: StopToken) -> Self {
        let slot = Arc::new(Slot {
            state: AtomicU64::new(IDLE),
            thread: AtomicI32::new(0),
            attempts: AtomicI32::new(0),
            home,
            code: GuestCode::default(),
            stop,
        });
        Watchdog::get().slots().push(Arc::clone(&slot));
        Self(slot)
    }

    /// Arms: from `deadline_ns` on, the guest code that this thread runs is stopped.
    /// Guest code runs between this and [`disarm`](Self::disarm) only.
    #[inline]
    pub fn arm(&self, deadline_ns: u64) {
        let slot = &*self.0;
        let deadline_ns = deadline_ns.clamp(IDLE + 1, FIRING - 1);
        slot.thread.store(interrupt::enter(slot), SeqCst);
        slot.state.store(deadline_ns, SeqCst);
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
            if self.0.state.compare_exchange(deadline_ns, IDLE, SeqCst, SeqCst).is_err() {
                // Already firing: the guest will not get far.
                return;
            }
            std::thread::sleep(Duration::from_nanos(RETRY_NS / 10));
            self.0.state.store(deadline_ns, SeqCst);
        }
    }

    /// Disarms; whether the deadline had passed and the guest was being stopped.
    #[inline]
    pub fn disarm(&self) -> bool {
        let slot = &*self.0;
        let armed = slot.state.load(SeqCst);
        let fired =
            armed == FIRING || slot.state.compare_exchange(armed, IDLE, SeqCst, SeqCst).is_err();
        if fired {
            self.settle();
        }
        interrupt::leave();
        fired
    }

    /// Waits until the watchdog is done with this invocation and no signal is pending.
    #[cold]
    fn settle(&self) {
        let slots = Watchdog::get().slots();
        self.0.settle();
        drop(slots);
        // Signals already sent are delivered on the way out of a system call.
        std::thread::yield_now();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        Watchdog::get().slots().retain(|slot| !Arc::ptr_eq(slot, &self.0));
    }
}

struct Watchdog {
    /// When the thread wakes by itself.
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
            .expect("a host can start a thread")
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
        let next_ns = all.iter().filter_map(|slot| look(slot, &all)).min().unwrap_or(NEVER);
        wakes_ns.store(next_ns, SeqCst);
        // Who armed before that store did not see it and did not wake this thread.
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

/// Fires what is due; when to look at this instance again.
fn look(slot: &Slot, all: &[Arc<Slot>]) -> Option<u64> {
    let now_ns = monotonic_ns();
    match slot.state.load(SeqCst) {
        IDLE => None,
        FIRING => {
            slot.fire(all);
            Some(now_ns + RETRY_NS)
        }
        due_ns if due_ns <= now_ns => {
            if slot.state.compare_exchange(due_ns, FIRING, SeqCst, SeqCst).is_ok() {
                slot.fire(all);
            }
            Some(now_ns + RETRY_NS)
        }
        due_ns => Some(due_ns),
    }
}

/// The earliest deadline that has not fired.
fn earliest(slots: &[Arc<Slot>]) -> u64 {
    let armed = slots.iter().map(|slot| slot.state.load(SeqCst));
    armed.filter(|state| *state != IDLE && *state != FIRING).min().unwrap_or(NEVER)
}
