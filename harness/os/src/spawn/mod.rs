//! Starts a process in its cgroup, without copying this process.
//!
//! `fork` copies page tables. That takes 1 ms in a small parent and 20 ms in one with 512 MB
//! resident, whatever the child is. Here the child borrows the memory of this process until it
//! calls `execve` (`CLONE_VM | CLONE_VFORK`, as in `posix_spawn`). It is born in its version 2
//! cgroup (`CLONE_INTO_CGROUP`, clone3(2)) and joins its version 1 groups before `execve`, so that
//! all its work is charged to its own groups.

mod child;
mod clone3;

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::ptr;

use nix::fcntl::OFlag;
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::unistd::{Pid, pipe2};

pub use self::child::Orphan;

use self::child::{ChildSetup, Stage, child};

/// A program to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessCommand {
    /// The executable's path.
    pub program: PathBuf,
    /// Arguments after the program's name.
    pub args: Vec<String>,
    /// The complete environment.
    pub env: Vec<(String, String)>,
}

/// Open files that place a child in its groups.
#[derive(Debug, Default)]
pub struct Attach {
    /// Folder of the version 2 group.
    pub clone_into: Option<OwnedFd>,
    /// `cgroup.procs` of each version 1 group, open for writing.
    pub procs: Vec<OwnedFd>,
}

/// A started process. The caller must wait for it.
#[derive(Debug)]
pub struct Spawned {
    /// The process ID.
    pub pid: Pid,
    /// This process's end of the child's standard input.
    pub stdin: OwnedFd,
    /// This process's end of the child's standard output.
    pub stdout: OwnedFd,
    /// When the child was in all its groups and about to call `execve`, in nanoseconds of
    /// `CLOCK_MONOTONIC`.
    pub attached_ns: u64,
}

/// Starts `command` with pipes on its standard input and output, and `stderr` as its
/// standard error.
///
/// # Errors
/// When a resource is missing, a cgroup rejects the child, or the program cannot be executed. The
/// message says which.
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
    let mut setup = ChildSetup {
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
    // No signal handler of this process may run while the child borrows its memory.
    let mut old = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut old))?;
    let into = attach.clone_into.as_ref().map(AsRawFd::as_raw_fd);
    // SAFETY: `setup` and everything that it points to outlive the child's use of them: the call
    // returns after the child's `execve` or `_exit` (CLONE_VFORK). All signals are blocked.
    let pid = unsafe { clone3::clone_vfork(child, ptr::from_mut(&mut setup).cast(), into) };
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&old), None)?;
    let pid = Pid::from_raw(pid?);
    if let Some((stage, errno)) = setup.failure {
        let _ = nix::sys::wait::waitpid(pid, None);
        let error = io::Error::from_raw_os_error(errno);
        let what = match stage {
            Stage::Attach => "the cgroup rejects the process".to_owned(),
            Stage::Streams => "the standard streams cannot be connected".to_owned(),
            Stage::Execute => format!("{} cannot be executed", command.program.display()),
        };
        return Err(io::Error::new(error.kind(), format!("{what}: {error}")));
    }
    Ok(Spawned { pid, stdin, stdout, attached_ns: setup.attached_ns })
}

/// The command in the form that `execve` takes.
struct Strings {
    program: CString,
    argv: Vec<*const libc::c_char>,
    envp: Vec<*const libc::c_char>,
    /// The strings that the pointers refer to.
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

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};

    use nix::fcntl::{FcntlArg, fcntl};
    use nix::sys::wait::{WaitStatus, waitpid};

    use super::*;
    use crate::clock::monotonic_ns;

    fn command(program: &str, args: &[&str]) -> ProcessCommand {
        ProcessCommand {
            program: program.into(),
            args: args.iter().map(|arg| arg.to_string()).collect(),
            env: vec![("GREETING".into(), "hello".into())],
        }
    }

    #[test]
    fn passes_streams_arguments_and_environment() {
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
    fn the_error_names_a_missing_program() {
        let command = command("/nonexistent/program", &[]);
        let error = spawn(&command, &Attach::default(), 2, Orphan::Killed).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(
            error.to_string().starts_with("/nonexistent/program cannot be executed"),
            "{error}"
        );
    }

    #[test]
    fn the_error_names_a_cgroup_that_rejects_the_process() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let attach = Attach { clone_into: None, procs: vec![full.into()] };
        let error = spawn(&command("/bin/true", &[]), &attach, 2, Orphan::Killed).unwrap_err();
        assert!(error.to_string().starts_with("the cgroup rejects the process"), "{error}");
    }

    /// The group makes the child wait: it is a full pipe, until a thread reads from it.
    #[test]
    fn time_to_join_a_group_counts_before_the_child_is_attached() {
        let (from, to) = pipe2(OFlag::O_NONBLOCK).unwrap();
        let mut to = File::from(to);
        while to.write(&[0; 4096]).is_ok() {}
        fcntl(&to, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
        let reader = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            let released_ns = monotonic_ns();
            (File::from(from).read(&mut [0; 4096]).unwrap(), released_ns)
        });
        let attach = Attach { clone_into: None, procs: vec![to.into()] };
        let begin_ns = monotonic_ns();
        let spawned = spawn(&command("/bin/true", &[]), &attach, 2, Orphan::Killed);
        let (_, released_ns) = reader.join().unwrap();
        let spawned = spawned.unwrap();
        waitpid(spawned.pid, None).unwrap();
        assert!(begin_ns < released_ns && released_ns < spawned.attached_ns);
        assert!(spawned.attached_ns < monotonic_ns());
    }
}
