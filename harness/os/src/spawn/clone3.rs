//! The system call clone3, for which libc has no wrapper that passes a cgroup.

use std::ffi::c_void;
use std::io;
use std::os::fd::RawFd;

/// What the child runs: a function that does not return.
pub(super) type Entry = unsafe extern "C" fn(*mut c_void) -> !;

/// `struct clone_args` of clone3(2).
#[repr(C, align(8))]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// From linux/sched.h; libc truncates its constant of that name to 32 bits.
const CLONE_INTO_CGROUP: u64 = 1 << 33;
const CHILD_STACK: usize = 64 << 10;

/// Runs `entry(argument)` in a child that borrows the memory of this process, in the version 2
/// cgroup `into`. Returns when the child has called `execve` or `_exit`.
///
/// # Safety
/// `entry` must accept `argument` and must not unwind, and all signals must be blocked.
pub(super) unsafe fn clone_vfork(
    entry: Entry,
    argument: *mut c_void,
    into: Option<RawFd>,
) -> io::Result<libc::pid_t> {
    let mut stack = vec![0_u128; CHILD_STACK / 16];
    let mut args = CloneArgs {
        flags: (libc::CLONE_VM | libc::CLONE_VFORK) as u64,
        exit_signal: libc::SIGCHLD as u64,
        stack: stack.as_mut_ptr() as u64,
        stack_size: CHILD_STACK as u64,
        ..CloneArgs::default()
    };
    if let Some(fd) = into {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = fd as u64;
    }
    // SAFETY: the child gets its own stack, which outlives the call.
    let result = unsafe { clone3_call(&args, entry, argument) };
    if result < 0 {
        let error = io::Error::from_raw_os_error(-result as i32);
        let place = if into.is_some() { " into its cgroup" } else { "" };
        let message = format!("cannot create the process{place} (clone3): {error}");
        return Err(io::Error::new(error.kind(), message));
    }
    Ok(result as libc::pid_t)
}

/// Calls clone3. The child calls `entry(argument)` on its own stack.
///
/// # Safety
/// `args` must describe a stack that is valid until the child calls `execve` or `_exit`.
#[cfg(target_arch = "x86_64")]
unsafe fn clone3_call(args: &CloneArgs, entry: Entry, argument: *mut c_void) -> i64 {
    let result: i64;
    // SAFETY: the kernel preserves all registers except rax, rcx and r11. The child never returns
    // from `entry`, and its rsp is the 16-byte aligned end of its stack.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r9",
            "call r8",
            "ud2",
            "2:",
            inlateout("rax") libc::SYS_clone3 => result,
            in("rdi") args,
            in("rsi") size_of::<CloneArgs>(),
            in("r8") entry,
            in("r9") argument,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    result
}

/// Calls clone3. The child calls `entry(argument)` on its own stack.
///
/// # Safety
/// `args` must describe a stack that is valid until the child calls `execve` or `_exit`.
#[cfg(target_arch = "aarch64")]
unsafe fn clone3_call(args: &CloneArgs, entry: Entry, argument: *mut c_void) -> i64 {
    let result: i64;
    // SAFETY: the kernel preserves all registers except x0. The child never returns from `entry`,
    // and its sp is the 16-byte aligned end of its stack.
    unsafe {
        std::arch::asm!(
            "svc #0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, x3",
            "blr x2",
            "brk #1",
            "2:",
            in("x8") libc::SYS_clone3,
            inlateout("x0") args => result,
            in("x1") size_of::<CloneArgs>(),
            in("x2") entry,
            in("x3") argument,
        );
    }
    result
}
