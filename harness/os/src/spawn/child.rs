//! The child between clone and `execve`.

use std::ffi::{c_int, c_void};
use std::os::fd::RawFd;
use std::ptr;

use crate::clock::monotonic_ns;

/// What happens to the child when the thread that started it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphan {
    /// The kernel kills it.
    Killed,
    /// It continues and sees the end of its standard input.
    Left,
}

/// Where a child failed before its program ran.
#[derive(Clone, Copy)]
pub(super) enum Stage {
    Attach,
    Streams,
    Execute,
}

/// Everything that the child needs, in the memory of this process.
pub(super) struct ChildSetup<'a> {
    pub program: *const libc::c_char,
    pub argv: *const *const libc::c_char,
    pub envp: *const *const libc::c_char,
    pub streams: [RawFd; 3],
    pub procs: &'a [RawFd],
    pub orphan: Orphan,
    pub parent: libc::pid_t,
    /// Written by the child.
    pub attached_ns: u64,
    /// Written by the child, with the error number.
    pub failure: Option<(Stage, c_int)>,
}

/// Runs in the child, where only system calls are allowed and nothing may allocate.
///
/// # Safety
/// `setup` must point to a complete [`ChildSetup`], which nothing else uses until this function ends.
pub(super) unsafe extern "C" fn child(setup: *mut c_void) -> ! {
    // SAFETY: the caller passes a complete `ChildSetup` and does not use it meanwhile.
    let setup = unsafe { &mut *setup.cast::<ChildSetup<'_>>() };
    // SAFETY: these are system calls on descriptors and pointers that the parent keeps alive;
    // signal dispositions are the child's own (no CLONE_SIGHAND).
    unsafe {
        let fail = |setup: &mut ChildSetup<'_>, stage: Stage| -> ! {
            setup.failure = Some((stage, *libc::__errno_location()));
            libc::_exit(127)
        };
        for fd in setup.procs {
            if libc::write(*fd, c"0".as_ptr().cast(), 1) != 1 {
                fail(setup, Stage::Attach);
            }
        }
        // A process group of its own: Ctrl-C on the terminal must reach `lumos` only.
        libc::setpgid(0, 0);
        if setup.orphan == Orphan::Killed {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid() != setup.parent {
                libc::_exit(127);
            }
        }
        for (fd, source) in setup.streams.iter().enumerate() {
            if libc::dup2(*source, fd as c_int) < 0 {
                fail(setup, Stage::Streams);
            }
        }
        for signal in 1..32 {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut());
        setup.attached_ns = monotonic_ns();
        libc::execve(setup.program, setup.argv, setup.envp);
        fail(setup, Stage::Execute)
    }
}
