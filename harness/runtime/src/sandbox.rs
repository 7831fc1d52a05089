//! An instance in a process of its own.
//!
//! Native functions and wasm hosts that were started as `instance` are driven by this same
//! code, and so will be containers and microVMs: the process speaks frames on its standard
//! input and output.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use lumos_model::protocol::Limits;
use lumos_model::row::ProvisionSpans;
use lumos_model::wire::frame::REPLY_HEAD;
use lumos_model::wire::{Reply, ReplyOutcome, RequestKind};
use lumos_os::cgroup::{Base, Group};
use lumos_os::clock::{cpu_ns_of, monotonic_ns};
use lumos_os::spawn::{Orphan, ProcessCommand, spawn};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::error::{HostError, InvokeError};
use crate::exchange::Exchange;
use crate::pipes::FramePipes;

/// How much of a dead process's standard error goes into the error message, in bytes.
const STDERR_TAIL: u64 = 2 << 10;
/// How long a process that closed its streams may take to exit.
const EXIT_TIMEOUT: Duration = Duration::from_millis(200);
const EXIT_POLL: Duration = Duration::from_micros(200);

/// The control group that a sandbox gets.
#[derive(Clone, Copy)]
pub struct NewGroup<'a> {
    /// The folder in which it is created.
    pub base: &'a Base,
    /// Its name in that folder.
    pub name: &'a str,
}

/// A process that serves one invocation at a time. Dropping it kills the process and then
/// removes everything that was created for it.
pub struct Sandbox {
    pid: Pid,
    reaped: bool,
    pipes: FramePipes,
    stderr: File,
    times: LaunchTimes,
    // The fields below are dropped after the process was killed. Other state that a launcher
    // creates for a sandbox (a container's bundle, a microVM's socket) belongs here.
    group: Option<Group>,
}

/// When the steps of a launch ended, in nanoseconds of `CLOCK_MONOTONIC`. A launcher with
/// other steps records them here and adds them to the spans.
#[derive(Clone, Copy, Debug)]
struct LaunchTimes {
    started_ns: u64,
    group_created_ns: u64,
    /// The process was in its control group and about to call `execve`.
    attached_ns: u64,
}

impl LaunchTimes {
    fn spans(&self, entered_ns: u64) -> ProvisionSpans {
        ProvisionSpans {
            cgroup_create_ns: self.group_created_ns - self.started_ns,
            attach_ns: self.attached_ns.saturating_sub(self.group_created_ns),
            exec_ns: entered_ns.saturating_sub(self.attached_ns),
        }
    }
}

impl Sandbox {
    /// Creates the control group, if one is given, and starts `command` in it.
    ///
    /// # Errors
    /// When the group or the process cannot be created.
    pub fn start(
        command: &ProcessCommand,
        group: Option<NewGroup<'_>>,
        limits: &Limits,
    ) -> Result<Self, HostError> {
        let stderr = memfd_create(c"lumos-stderr", MFdFlags::MFD_CLOEXEC)
            .map_err(|e| HostError::system("make a file for the instance's standard error", e))?;
        let started_ns = monotonic_ns();
        let group =
            group.map(|NewGroup { base, name }| Group::create(base, name, limits)).transpose()?;
        let attach = group.as_ref().map(Group::attach).transpose()?.unwrap_or_default();
        let group_created_ns = monotonic_ns();
        let spawned = spawn(command, &attach, stderr.as_raw_fd(), Orphan::Killed)
            .map_err(|e| HostError::system("start an instance", e))?;
        let attached_ns = spawned.attached_ns;
        // From here on an error drops the sandbox, which kills the process.
        let sandbox = Self {
            pid: spawned.pid,
            reaped: false,
            pipes: FramePipes::new(spawned.stdin, spawned.stdout),
            stderr: File::from(stderr),
            times: LaunchTimes { started_ns, group_created_ns, attached_ns },
            group,
        };
        let prepared = sandbox.pipes.set_non_blocking();
        prepared.map_err(|e| HostError::system("make a pipe non-blocking", e))?;
        Ok(sandbox)
    }

    /// Sends one request and reads its reply into `answer`, whose old content is dropped. The
    /// envelope or the error message begins at [`REPLY_HEAD`].
    ///
    /// # Errors
    /// When the process died, exceeded `deadline_ns` (it is then killed), or does not speak
    /// the protocol. The instance is then dead.
    pub fn exchange(
        &mut self,
        kind: RequestKind,
        request: &[u8],
        deadline_ns: u64,
        answer: &mut Vec<u8>,
    ) -> Result<Exchange, InvokeError> {
        let sent_ns = monotonic_ns();
        let result = self
            .pipes
            .send(kind, request, deadline_ns)
            .and_then(|()| self.pipes.receive(answer, deadline_ns))
            .and_then(|()| Reply::decode(answer).map(|(reply, _)| reply));
        let answered_ns = monotonic_ns();
        match result {
            Ok(reply) => outcome(reply, answer).map(|()| Exchange { reply, sent_ns, answered_ns }),
            Err(error) => Err(self.post_mortem(error, deadline_ns)),
        }
    }

    /// CPU time of all threads of the process since its creation, in nanoseconds; `None` if
    /// it has ended.
    pub fn cpu_ns(&self) -> Option<u64> {
        if self.reaped { None } else { cpu_ns_of(self.pid) }
    }

    /// Its control group, if it has one.
    pub fn group(&self) -> Option<&Group> {
        self.group.as_ref()
    }

    /// The process's number.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// The parts of `provision`, given the time at which the process entered `main`.
    pub fn spans(&self, entered_ns: u64) -> ProvisionSpans {
        self.times.spans(entered_ns)
    }

    /// Ends the process and says why the exchange failed.
    fn post_mortem(&mut self, error: io::Error, deadline_ns: u64) -> InvokeError {
        if error.kind() == io::ErrorKind::TimedOut || monotonic_ns() >= deadline_ns {
            self.end();
            return InvokeError::Timeout("the deadline passed; the process was killed".to_owned());
        }
        if error.kind() == io::ErrorKind::InvalidData {
            self.end();
            return InvokeError::Failed(format!("{error}{}", self.stderr_tail()));
        }
        // It closed its streams: it is dead or about to be.
        let status = if self.reaped { None } else { self.reap() };
        if self.group.as_ref().and_then(Group::oom_kills).is_some_and(|kills| kills > 0) {
            return InvokeError::OutOfMemory(format!(
                "the kernel killed the process at its memory limit{}",
                self.stderr_tail()
            ));
        }
        let death = match status {
            Some(WaitStatus::Exited(_, code)) => format!("the process exited with code {code}"),
            Some(WaitStatus::Signaled(_, signal, _)) => {
                format!("the process was ended by {signal}")
            }
            _ => format!("the process closed its streams ({error})"),
        };
        let tail = self.stderr_tail();
        // How Rust's allocator reports that it has no memory, before it aborts.
        if tail.contains("memory allocation of") {
            return InvokeError::OutOfMemory(format!("{death}{tail}"));
        }
        InvokeError::Trap(format!("{death}{tail}"))
    }

    /// Waits for a process that closed its streams, and kills it after [`EXIT_TIMEOUT`].
    fn reap(&mut self) -> Option<WaitStatus> {
        let until_ns = monotonic_ns() + EXIT_TIMEOUT.as_nanos() as u64;
        while monotonic_ns() < until_ns {
            match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => std::thread::sleep(EXIT_POLL),
                Ok(status) => {
                    self.reaped = true;
                    return Some(status);
                }
                Err(_) => break,
            }
        }
        self.end();
        None
    }

    fn end(&mut self) {
        if !self.reaped {
            let _ = kill(self.pid, Signal::SIGKILL);
            let _ = waitpid(self.pid, None);
            self.reaped = true;
        }
    }

    /// The end of the process's standard error.
    fn stderr_tail(&self) -> String {
        let length = self.stderr.metadata().map_or(0, |metadata| metadata.len());
        let start = length.saturating_sub(STDERR_TAIL);
        let mut tail = vec![0; (length - start) as usize];
        if tail.is_empty() || self.stderr.read_exact_at(&mut tail, start).is_err() {
            return String::new();
        }
        format!("; it said: {}", String::from_utf8_lossy(&tail).trim())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.end();
    }
}

/// The error that the reply reports, if any; its message follows the head.
fn outcome(reply: Reply, frame: &[u8]) -> Result<(), InvokeError> {
    let message = || String::from_utf8_lossy(&frame[REPLY_HEAD..]).into_owned();
    match reply.outcome {
        ReplyOutcome::Answered => Ok(()),
        ReplyOutcome::Trap => Err(InvokeError::Trap(message())),
        ReplyOutcome::OutOfMemory => Err(InvokeError::OutOfMemory(message())),
        ReplyOutcome::Timeout => Err(InvokeError::Timeout(message())),
        ReplyOutcome::Failed => Err(InvokeError::Failed(message())),
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::time::TimeValLike;
    use nix::time::{ClockId, clock_gettime};
    use nix::unistd::{SysconfVar, sysconf};

    use super::*;

    /// `starttime` of proc_pid_stat(5), which the kernel records on its own, in nanoseconds
    /// of `CLOCK_MONOTONIC`; and its resolution.
    fn kernel_start_ns(pid: Pid) -> (i64, i64) {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let ticks = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap();
        let tick_ns = 1_000_000_000 / sysconf(SysconfVar::CLK_TCK).unwrap().unwrap();
        // The least of several readings: an interruption between the two clocks adds to one.
        let suspended_ns = || {
            let now_ns = monotonic_ns() as i64;
            clock_gettime(ClockId::CLOCK_BOOTTIME).unwrap().num_nanoseconds() - now_ns
        };
        let suspended_ns = (0..20).map(|_| suspended_ns()).min().unwrap();
        (ticks.parse::<i64>().unwrap() * tick_ns - suspended_ns, tick_ns)
    }

    #[test]
    fn the_spans_of_provisioning_enclose_the_start_that_the_kernel_saw() {
        let command = ProcessCommand { program: "/bin/cat".into(), args: vec![], env: vec![] };
        for _ in 0..3 {
            let begin_ns = monotonic_ns();
            let sandbox = Sandbox::start(&command, None, &Limits::default()).unwrap();
            let spans = sandbox.spans(monotonic_ns());
            let end_ns = monotonic_ns();
            let LaunchTimes { started_ns, attached_ns, .. } = sandbox.times;
            let (kernel_ns, tick_ns) = kernel_start_ns(sandbox.pid());
            let group_created_ns = started_ns + spans.cgroup_create_ns;
            assert!(begin_ns <= started_ns);
            assert!(kernel_ns + tick_ns >= group_created_ns as i64 - 1_000_000);
            assert!(kernel_ns <= attached_ns as i64);
            assert_eq!(group_created_ns + spans.attach_ns, attached_ns);
            assert!(attached_ns + spans.exec_ns <= end_ns);
        }
    }
}
