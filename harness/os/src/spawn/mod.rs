//! Starts a process in its cgroup without copying this one.
//!
//! `fork` copies page tables: 1 ms from a small parent, 20 ms from one of 512 MB
//! resident, whatever the child is. Here the child borrows this process' memory until
//! it calls `execve` (`CLONE_VM | CLONE_VFORK`, as `posix_spawn` does), and is born in
//! its version 2 cgroup (`CLONE_INTO_CGROUP`, clone3(2)); version 1 groups it joins by
//! itself before `execve`, so that nothing it does is charged elsewhere.

use std::ffi::{CString, c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::ptr;

use nix::fcntl::OFlag;
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::unistd::{Pid, pipe2};

use crate::clock::monotonic_ns;

/// A program to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessCommand {
    /// The executable's path.
    pub program: PathBuf,
    /// Arguments after the program's name.
    pub args: Vec<String>,
    /// Its environment, complete.
    pub env: Vec<(String, String)>,
}

/// Open files that put a child into its groups.
#[derive(Debug, Default)]
pub struct Attach {
    /// Folder of the version 2 group.
    pub clone_into: Option<OwnedFd>,
    /// `cgroup.procs` of each version 1 group, open for writing.
    pub procs: Vec<OwnedFd>,
}

/// A process that was started; whoever holds it must wait for it.
#[derive(Debug)]
pub struct Spawned {
    /// Its number.
    pub pid: Pid,
    /// Our end of its standard input.
    pub stdin: OwnedFd,
    /// Our end of its standard output.
    pub stdout: OwnedFd,
    /// When it was in all of its groups and about to call `execve`, in nanoseconds of
    /// `CLOCK_MONOTONIC`.
    pub attached_ns: u64,
}

/// What becomes of the child when the thread that started it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphan {
    /// It is killed.
    Killed,
    /// It goes on; it sees the end of its standard input.
    Left,
}

/// Starts `command` with pipes on its standard input and output, and `stderr` as its
/// standard error.
///
/// # Errors
/// When a resource is missing, a cgroup refuses the child, or the program cannot be
/// executed; the message tells which.
pub fn spawn(
    command: &ProcessCommand,
    attach: &Attach,
    stderr: RawFd,
    orphan: Orphan,
) -> io::Result<Spawned> {
    let (child_stdin, stdin) = pipe2(OFlag::O_CLOEXEC)?;
    let (stdout, child_stdout) = pipe2(OFlag::O_CLOEXEC)?;
    let strings = Strings::new(command)?;
    let procs: Vec<RawFd> = attach.procs.iter().map(AsRawFd::as_raw_fd).collect();
    let mut plan = Plan {
        program: strings.program.as_ptr(),
        argv: strings.argv.as_ptr(),
        envp: strings.envp.as_ptr(),
        streams: [child_stdin.as_raw_fd(), child_stdout.as_raw_fd(), stderr],
        procs: &procs,
        orphan,
        parent: nix::unistd::getpid().as_raw(),
        attached_ns: 0,
        failure: None,
    };
    // No handler of this process may run while the child borrows its memory.
    let mut old = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut old))?;
    let into = attach.clone_into.as_ref().map(AsRawFd::as_raw_fd);
    // SAFETY: `plan` and all that it points to outlive the call, since the child has
    // left for `execve` or `_exit` when it returns (CLONE_VFORK).
    let pid = unsafe { clone_vfork(&mut plan, into) };
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&old), None)?;
    let pid = Pid::from_raw(pid?);
    if let Some((stage, errno)) = plan.failure {
        let _ = nix::sys::wait::waitpid(pid, None);
        let error = io::Error::from_raw_os_error(errno);
        let what = match stage {
            Stage::Attach => "the cgroup refuses the process".to_owned(),
            Stage::Streams => "its streams cannot be set up".to_owned(),
            Stage::Execute => format!("{} cannot be executed", command.program.display()),
        };
        return Err(io::Error::new(error.kind(), format!("{what}: {error}")));
    }
    Ok(Spawned { pid, stdin, stdout, attached_ns: plan.attached_ns })
}

/// The command as `execve` wants it.
struct Strings {
    program: CString,
    argv: Vec<*const libc::c_char>,
    envp: Vec<*const libc::c_char>,
    /// What the pointers point to.
    _owned: Vec<CString>,
}

impl Strings {
    fn new(command: &ProcessCommand) -> io::Result<Self> {
        let program = CString::new(command.program.as_os_str().as_bytes())?;
        let mut owned = vec![program.clone()];
        for arg in &command.args {
            owned.push(CString::new(arg.as_str())?);
        }
        let args = owned.len();
        for (name, value) in &command.env {
            owned.push(CString::new(format!("{name}={value}"))?);
        }
        let pointers = |strings: &[CString]| {
            strings.iter().map(|s| s.as_ptr()).chain([ptr::null()]).collect::<Vec<_>>()
        };
        let (argv, envp) = (pointers(&owned[..args]), pointers(&owned[args..]));
        Ok(Self { program, argv, envp, _owned: owned })
    }
}

/// Where a child failed before it became its program.
#[derive(Clone, Copy)]
enum Stage {
    Attach,
    Streams,
    Execute,
}

/// All that the child needs, in this process' memory.
struct Plan<'a> {
    program: *const libc::c_char,
    argv: *const *const libc::c_char,
    envp: *const *const libc::c_char,
    streams: [RawFd; 3],
    procs: &'a [RawFd],
    orphan: Orphan,
    parent: libc::pid_t,
    attached_ns: u64,
    failure: Option<(Stage, c_int)>,
}

/// The child, between clone and `execve`: system calls only, no allocation.
unsafe extern "C" fn child(plan: *mut c_void) -> ! {
    // SAFETY: `spawn` passes its `Plan`, and is suspended while this runs.
    let plan = unsafe { &mut *plan.cast::<Plan<'_>>() };
    // SAFETY: plain system calls on descriptors and pointers that `spawn` keeps alive;
    // signal dispositions are the child's own (no CLONE_SIGHAND).
    unsafe {
        let fail = |plan: &mut Plan<'_>, stage: Stage| -> ! {
            plan.failure = Some((stage, *libc::__errno_location()));
            libc::_exit(127)
        };
        for fd in plan.procs {
            if libc::write(*fd, c"0".as_ptr().cast(), 1) != 1 {
                fail(plan, Stage::Attach);
            }
        }
        // A process group of its own: Ctrl-C on the terminal is for `lumos` alone.
        libc::setpgid(0, 0);
        if plan.orphan == Orphan::Killed {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid() != plan.parent {
                libc::_exit(127);
            }
        }
        for (fd, source) in plan.streams.iter().enumerate() {
            if libc::dup2(*source, fd as c_int) < 0 {
                fail(plan, Stage::Streams);
            }
        }
        for signal in 1..32 {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut());
        plan.attached_ns = monotonic_ns();
        libc::execve(plan.program, plan.argv, plan.envp);
        fail(plan, Stage::Execute)
    }
}

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

/// From linux/sched.h; libc's constant of that name is cut to 32 bits.
const CLONE_INTO_CGROUP: u64 = 1 << 33;
const CHILD_STACK: usize = 64 << 10;

/// Runs [`child`] in a process that borrows this one's memory; returns when it has left.
///
/// # Safety
/// `plan` must be complete, and all signals must be blocked.
unsafe fn clone_vfork(plan: &mut Plan<'_>, into: Option<RawFd>) -> io::Result<libc::pid_t> {
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
    let plan: *mut c_void = ptr::from_mut(plan).cast();
    // SAFETY: the child gets a stack of its own, which lives until this call returns.
    let result = unsafe { clone3_call(&args, child, plan) };
    if result < 0 {
        let error = io::Error::from_raw_os_error(-result as i32);
        let place = if into.is_some() { " into its cgroup" } else { "" };
        return Err(io::Error::new(error.kind(), format!("clone3{place}: {error}")));
    }
    Ok(result as libc::pid_t)
}

/// The system call clone3, whose child calls `entry(argument)` on its own stack. libc
/// has no wrapper that passes a cgroup.
///
/// # Safety
/// `args` must describe a stack that is valid until the child has left.
#[cfg(target_arch = "x86_64")]
unsafe fn clone3_call(
    args: &CloneArgs,
    entry: unsafe extern "C" fn(*mut c_void) -> !,
    argument: *mut c_void,
) -> i64 {
    let result: i64;
    // SAFETY: the kernel keeps all registers but rax, rcx and r11; the child never
    // returns from `entry`, and finds rsp at the 16-byte aligned end of its stack.
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

/// The system call clone3, whose child calls `entry(argument)` on its own stack. libc
/// has no wrapper that passes a cgroup.
///
/// # Safety
/// `args` must describe a stack that is valid until the child has left.
#[cfg(target_arch = "aarch64")]
unsafe fn clone3_call(
    args: &CloneArgs,
    entry: unsafe extern "C" fn(*mut c_void) -> !,
    argument: *mut c_void,
) -> i64 {
    let result: i64;
    // SAFETY: the kernel keeps all registers but x0; the child never returns from
    // `entry`, and finds sp at the 16-byte aligned end of its stack.
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

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};

    use nix::fcntl::{FcntlArg, fcntl};
    use nix::sys::wait::{WaitStatus, waitpid};

    use super::*;

    fn command(program: &str, args: &[&str]) -> ProcessCommand {
        ProcessCommand {
            program: program.into(),
            args: args.iter().map(|arg| arg.to_string()).collect(),
            env: vec![("GREETING".into(), "hello".into())],
        }
    }

    #[test]
    fn a_child_gets_its_streams_arguments_and_environment() {
        let script = r#"read line; echo "$line $1 $GREETING"; exit 3"#;
        let command = command("/bin/sh", &["-c", script, "sh", "argument"]);
        let spawned = spawn(&command, &Attach::default(), 2, Orphan::Killed).unwrap();
        File::from(spawned.stdin).write_all(b"input\n").unwrap();
        let mut output = String::new();
        File::from(spawned.stdout).read_to_string(&mut output).unwrap();
        assert_eq!(output, "input argument hello\n");
        assert_eq!(waitpid(spawned.pid, None).unwrap(), WaitStatus::Exited(spawned.pid, 3));
        assert!(spawned.attached_ns <= monotonic_ns());
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let command = command("/nonexistent/program", &[]);
        let error = spawn(&command, &Attach::default(), 2, Orphan::Killed).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(
            error.to_string().starts_with("/nonexistent/program cannot be executed"),
            "{error}"
        );
    }

    #[test]
    fn a_group_that_refuses_is_named() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let attach = Attach { clone_into: None, procs: vec![full.into()] };
        let error = spawn(&command("/bin/true", &[]), &attach, 2, Orphan::Killed).unwrap_err();
        assert!(error.to_string().starts_with("the cgroup refuses the process"), "{error}");
    }

    /// A group that keeps the child waiting: a full pipe, which a thread reads from.
    #[test]
    fn what_a_group_takes_is_before_the_child_is_attached() {
        let (from, to) = pipe2(OFlag::O_NONBLOCK).unwrap();
        let mut to = File::from(to);
        while to.write(&[0; 4096]).is_ok() {}
        fcntl(&to, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
        let reader = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            let let_go_ns = monotonic_ns();
            (File::from(from).read(&mut [0; 4096]).unwrap(), let_go_ns)
        });
        let attach = Attach { clone_into: None, procs: vec![to.into()] };
        let begin_ns = monotonic_ns();
        let spawned = spawn(&command("/bin/true", &[]), &attach, 2, Orphan::Killed);
        let (_, let_go_ns) = reader.join().unwrap();
        let spawned = spawned.unwrap();
        waitpid(spawned.pid, None).unwrap();
        assert!(begin_ns < let_go_ns && let_go_ns < spawned.attached_ns);
        assert!(spawned.attached_ns < monotonic_ns());
    }
}
