//! Stops compiled guest code from outside, by a signal.
//!
//! WasmEdge turns a memory fault of compiled code into a trap: its SIGSEGV handler jumps
//! back to the call that entered the guest. So the handler here looks where its thread
//! was interrupted. In guest code, it lets the thread go on at an address where nothing
//! is mapped for execution: the guest "faults" and WasmEdge unwinds it as it does any
//! trap. Anywhere else (a host call, the C library), nothing is touched, since a jump
//! out of there would leave locks held, and the watchdog tries again. For a guest that
//! lives in host calls it can make the code itself not executable.
//!
//! `UserContext` differs between x86-64 and aarch64; nothing else does.

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Once, OnceLock};

use crate::watchdog::Slot;

/// The executable ranges of one guest, readable from a signal handler.
#[derive(Default)]
pub(crate) struct GuestCode {
    ranges: [(AtomicUsize, AtomicUsize); GuestCode::MOST],
    hit: AtomicBool,
    frozen: AtomicBool,
}

impl GuestCode {
    /// A shared library has one executable mapping, a JIT one for each module.
    const MOST: usize = 32;

    /// Notes where the code lies.
    pub fn set(&self, ranges: &[Range<usize>]) {
        for (slot, range) in self.ranges.iter().zip(ranges) {
            slot.0.store(range.start, SeqCst);
            slot.1.store(range.end, SeqCst);
        }
    }

    /// Forgets ranges and hit.
    pub fn clear(&self) {
        for slot in &self.ranges {
            slot.0.store(0, SeqCst);
            slot.1.store(0, SeqCst);
        }
        self.hit.store(false, SeqCst);
    }

    /// Makes the code not executable.
    pub fn freeze(&self) {
        self.frozen.store(true, SeqCst);
        self.protect(libc::PROT_READ);
    }

    /// Makes the code executable again.
    pub fn thaw(&self) {
        self.protect(libc::PROT_READ | libc::PROT_EXEC);
        self.frozen.store(false, SeqCst);
    }

    /// Whether the code is not executable.
    pub fn is_frozen(&self) -> bool {
        self.frozen.load(SeqCst)
    }

    fn protect(&self, protection: libc::c_int) {
        for (start, end) in &self.ranges {
            let (start, end) = (start.load(SeqCst), end.load(SeqCst));
            if start < end {
                // SAFETY: a whole executable mapping of guest code, which an instance
                // keeps mapped. A thread that executes it meanwhile faults, which
                // WasmEdge reports as a trap; the watchdog sees that no other does.
                unsafe { libc::mprotect(start as *mut libc::c_void, end - start, protection) };
            }
        }
    }

    /// Whether there is no compiled code.
    pub fn is_empty(&self) -> bool {
        self.ranges[0].1.load(SeqCst) == 0
    }

    /// Whether the guest was sent into its fault.
    pub fn is_hit(&self) -> bool {
        self.hit.load(SeqCst)
    }

    fn contains(&self, address: usize) -> bool {
        self.ranges
            .iter()
            .any(|(start, end)| (start.load(SeqCst)..end.load(SeqCst)).contains(&address))
    }
}

thread_local! {
    /// The instance that this thread invokes. Without a destructor and with a constant
    /// start it is plain thread-local storage, which a signal handler may read.
    static CURRENT: Cell<*const Slot> = const { Cell::new(std::ptr::null()) };
    static THREAD: Cell<i32> = const { Cell::new(0) };
}

/// An address that faults when executed; set before the handler is installed.
static NOWHERE: AtomicUsize = AtomicUsize::new(0);
/// WasmEdge's SIGSEGV handler as it was last seen.
static FAULT_HANDLER: AtomicUsize = AtomicUsize::new(0);

/// Notes that this thread invokes the instance of `slot`; the thread's id.
#[inline]
pub(crate) fn enter(slot: &Slot) -> i32 {
    CURRENT.set(slot);
    THREAD.with(|thread| {
        if thread.get() == 0 {
            // SAFETY: gettid(2) takes nothing and cannot fail.
            thread.set(unsafe { libc::gettid() });
        }
        thread.get()
    })
}

/// Notes that this thread invokes nothing.
#[inline]
pub(crate) fn leave() {
    CURRENT.set(std::ptr::null());
}

fn signal() -> libc::c_int {
    static SIGNAL: OnceLock<libc::c_int> = OnceLock::new();
    *SIGNAL.get_or_init(|| libc::SIGRTMIN() + 7)
}

/// Installs the handler, once.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // SAFETY: a new private mapping of one page, never unmapped.
        let page = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                4096,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert!(page != libc::MAP_FAILED, "no page of address space is left");
        NOWHERE.store(page as usize, SeqCst);
        // SAFETY: an all-zero sigaction is a valid one: no flags, an empty mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = on_signal as *const () as usize;
        // Without SA_RESTART: a blocked system call of the guest ends with EINTR.
        action.sa_flags = libc::SA_SIGINFO;
        // SAFETY: the handler has the signature that SA_SIGINFO asks for and calls only
        // what is async-signal-safe.
        let failed = unsafe { libc::sigaction(signal(), &action, std::ptr::null_mut()) };
        assert!(failed == 0, "a real-time signal can be handled");
    });
}

/// Sends the signal to a thread of this process; a thread that is gone is no error.
pub(crate) fn send(thread: i32) {
    // SAFETY: tgkill(2) takes three integers; a stale id fails with ESRCH.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, signal()) };
}

/// Async-signal-safe: reads plain thread-local storage and atomics, calls sigaction(2).
extern "C" fn on_signal(
    _signal: libc::c_int,
    _info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let current = CURRENT.get();
    // SAFETY: `enter` set the pointer on this very thread from a slot that outlives the
    // invocation, and `leave` takes it away before the slot can go.
    let Some(slot) = (unsafe { current.as_ref() }) else { return };
    if !slot.is_firing() {
        return;
    }
    // SAFETY: the kernel passes a valid ucontext_t to a handler with SA_SIGINFO, and
    // nothing else refers to it.
    let context = unsafe { &mut *context.cast::<UserContext>() };
    let counter = program_counter(context);
    if slot.code().contains(*counter as usize) && fault_is_handled() {
        slot.code().hit.store(true, SeqCst);
        *counter = NOWHERE.load(SeqCst) as _;
    }
}

type UserContext = libc::ucontext_t;

#[cfg(target_arch = "x86_64")]
fn program_counter(context: &mut UserContext) -> &mut libc::greg_t {
    &mut context.uc_mcontext.gregs[libc::REG_RIP as usize]
}

#[cfg(target_arch = "aarch64")]
fn program_counter(context: &mut UserContext) -> &mut libc::c_ulonglong {
    &mut context.uc_mcontext.pc
}

/// Whether a fault would reach WasmEdge.
///
/// WasmEdge installs its handler when the first thread enters compiled code and removes
/// it when the last one leaves; a thread that enters in between can lose it (it counts
/// threads, but the count and the installation are not one step). A fault would then
/// end the process, so the handler is put back first.
fn fault_is_handled() -> bool {
    // SAFETY: an all-zero sigaction is a valid one.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: __errno_location returns this thread's errno, which is preserved here.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let saved = unsafe { *errno };
    // SAFETY: queries only.
    unsafe { libc::sigaction(libc::SIGSEGV, std::ptr::null(), &mut action) };
    let handled = action.sa_sigaction > libc::SIG_IGN;
    if handled {
        FAULT_HANDLER.store(action.sa_sigaction, SeqCst);
    } else {
        let known = FAULT_HANDLER.load(SeqCst);
        if known != 0 {
            action.sa_sigaction = known;
            action.sa_flags = libc::SA_SIGINFO;
            // SAFETY: the handler that WasmEdge itself had installed, as it did it.
            unsafe { libc::sigaction(libc::SIGSEGV, &action, std::ptr::null_mut()) };
        }
    }
    // SAFETY: as above.
    unsafe { *errno = saved };
    handled || FAULT_HANDLER.load(SeqCst) != 0
}
