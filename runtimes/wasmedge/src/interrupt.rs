//! Stops compiled guest code from outside, by a signal.
//!
//! WasmEdge turns a memory fault of compiled code into a trap: its SIGSEGV handler jumps back
//! to the call that entered the guest. The signal handler here checks where its thread was
//! interrupted. In guest code, it sets the program counter to an address at which nothing is
//! executable: the guest faults, and WasmEdge unwinds it like any other trap. Anywhere else (a
//! host call, the C library) it changes nothing, because a jump out of that code would leave
//! locks held; the watchdog then tries again. For a guest that spends its time in host calls,
//! the watchdog can make the code itself not executable.
//!
//! Only `UserContext` and `program_counter` differ between x86-64 and aarch64.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Once, OnceLock};

use crate::slot::{Slot, State};

thread_local! {
    /// The instance that this thread invokes. It has no destructor and a constant initial
    /// value, so it is plain thread-local storage, which a signal handler may read.
    static CURRENT: Cell<*const Slot> = const { Cell::new(std::ptr::null()) };
    static THREAD: Cell<i32> = const { Cell::new(0) };
}

/// An address that faults when executed. It is set before the handler is installed.
static FAULTING_ADDRESS: AtomicUsize = AtomicUsize::new(0);
/// WasmEdge's SIGSEGV handler, as last seen.
static FAULT_HANDLER: AtomicUsize = AtomicUsize::new(0);

/// Records that this thread invokes the instance of `slot`. Returns the thread's id.
#[inline]
pub(crate) fn enter(slot: &Slot) -> i32 {
    CURRENT.set(slot);
    THREAD.with(|thread| {
        if thread.get() == 0 {
            // SAFETY: gettid(2) takes no arguments and cannot fail.
            thread.set(unsafe { libc::gettid() });
        }
        thread.get()
    })
}

/// Records that this thread invokes no instance.
#[inline]
pub(crate) fn leave() {
    CURRENT.set(std::ptr::null());
}

fn signal() -> libc::c_int {
    static SIGNAL: OnceLock<libc::c_int> = OnceLock::new();
    *SIGNAL.get_or_init(|| libc::SIGRTMIN() + 7)
}

/// Installs the handler.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // SAFETY: this creates a private mapping of one page, which is never unmapped.
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
        FAULTING_ADDRESS.store(page as usize, SeqCst);
        // SAFETY: an all-zero sigaction is valid: no flags and an empty mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = on_signal as *const () as usize;
        // Without SA_RESTART, so that a blocked system call of the guest ends with EINTR.
        action.sa_flags = libc::SA_SIGINFO;
        // SAFETY: the handler has the signature that SA_SIGINFO requires and calls only
        // async-signal-safe functions.
        let failed = unsafe { libc::sigaction(signal(), &action, std::ptr::null_mut()) };
        assert!(failed == 0, "a handler of a real-time signal can be installed");
    });
}

/// Sends the signal to a thread of this process. A thread that has ended is not an error.
pub(crate) fn send(thread: i32) {
    // SAFETY: tgkill(2) takes integers only; a stale id fails with ESRCH.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, signal()) };
}

/// The signal handler. It is async-signal-safe: it reads plain thread-local storage and
/// atomics, and calls sigaction(2).
extern "C" fn on_signal(
    _signal: libc::c_int,
    _info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let current = CURRENT.get();
    // SAFETY: `enter` set the pointer on this thread, from a slot that outlives the invocation,
    // and `leave` clears it before the slot can be dropped.
    let Some(slot) = (unsafe { current.as_ref() }) else { return };
    if slot.state() != State::Firing {
        return;
    }
    // SAFETY: the kernel passes a valid ucontext_t to a handler with SA_SIGINFO, and no other
    // reference to it exists.
    let context = unsafe { &mut *context.cast::<UserContext>() };
    let counter = program_counter(context);
    if slot.code.contains(*counter as usize) && fault_is_handled() {
        slot.code.set_hit();
        *counter = FAULTING_ADDRESS.load(SeqCst) as _;
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
/// WasmEdge installs its handler when the first thread enters compiled code and removes it when
/// the last one leaves. It counts the threads, but counting and installing are two steps, so a
/// thread that enters in between can run without the handler. A fault would then end the
/// process. In that case this function installs WasmEdge's handler again.
fn fault_is_handled() -> bool {
    // SAFETY: an all-zero sigaction is valid.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: __errno_location returns the address of this thread's errno, which is restored
    // below.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let saved = unsafe { *errno };
    // SAFETY: this only queries the handler.
    unsafe { libc::sigaction(libc::SIGSEGV, std::ptr::null(), &mut action) };
    let handled = action.sa_sigaction > libc::SIG_IGN;
    if handled {
        FAULT_HANDLER.store(action.sa_sigaction, SeqCst);
    } else {
        let known = FAULT_HANDLER.load(SeqCst);
        if known != 0 {
            action.sa_sigaction = known;
            action.sa_flags = libc::SA_SIGINFO;
            // SAFETY: this is the handler that WasmEdge had installed, with the same flags.
            unsafe { libc::sigaction(libc::SIGSEGV, &action, std::ptr::null_mut()) };
        }
    }
    // SAFETY: as above.
    unsafe { *errno = saved };
    handled || FAULT_HANDLER.load(SeqCst) != 0
}
