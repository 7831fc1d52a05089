//! An instance in a process of its own, spoken to in frames.
//!
//! Native functions, wasm hosts started as `instance` and (through their runtimes)
//! containers are driven by this same code.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use lumos_model::phase::{Phase, Phases};
use lumos_model::protocol::Limits;
use lumos_model::row::ProvisionSpans;
use lumos_model::wire::frame::{MAX_FRAME, REPLY_HEAD, request_head};
use lumos_model::wire::{Reply, ReplyOutcome, RequestKind};
use lumos_os::cgroup::{Base, Group};
use lumos_os::clock::{cpu_ns_of, monotonic_ns};
use lumos_os::spawn::{Orphan, ProcessCommand, spawn};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::error::{HostError, InvokeError};

/// How much of a dead process' standard error goes into the message.
const STDERR_TAIL: u64 = 2 << 10;
const READ_CHUNK: usize = 64 << 10;

/// A process that serves one invocation at a time.
pub struct ProcessInstance {
    pid: Pid,
    stdin: File,
    stdout: File,
    stderr: File,
    group: Option<Group>,
    reaped: bool,
    /// When its creation began, nanoseconds of `CLOCK_MONOTONIC`.
    pub started_ns: u64,
    /// Time until its cgroup stood.
    pub cgroup_create_ns: u64,
    /// When it was about to call `execve`.
    pub attached_ns: u64,
}

/// When the ends of an exchange were, nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// The instance's own account.
    pub reply: Reply,
    /// Before the request's first byte was written.
    pub sent_ns: u64,
    /// After the reply's last byte was read.
    pub answered_ns: u64,
}

impl Exchange {
    /// Where the time between two processes went, on the one clock that they share.
    /// `fresh_since_ns`: when the creation of the process began, if it is new.
    pub fn phases(&self, fresh_since_ns: Option<u64>) -> Phases {
        let Reply { entered_ns, ready_ns, received_ns, replied_ns, .. } = self.reply;
        let Reply { load_ns, compile_ns, instantiate_ns, request_ns, response_ns, .. } = self.reply;
        let mut phases = Phases::default();
        phases.add(Phase::Load, load_ns);
        phases.add(Phase::Compile, compile_ns);
        phases.add(Phase::Instantiate, instantiate_ns);
        if let Some(since_ns) = fresh_since_ns {
            // The engine's own start, before it can load anything, is provisioning too.
            let boot_ns = ready_ns.saturating_sub(entered_ns);
            let engine_ns = boot_ns.saturating_sub(load_ns + compile_ns + instantiate_ns);
            phases.add(Phase::Provision, entered_ns.saturating_sub(since_ns) + engine_ns);
        }
        let from_ns = self.sent_ns.max(ready_ns);
        phases.add(Phase::Request, received_ns.saturating_sub(from_ns) + request_ns);
        phases.add(Phase::Response, self.answered_ns.saturating_sub(replied_ns) + response_ns);
        phases
    }
}

impl ProcessInstance {
    /// Makes the cgroup `name` in `base` (if there is one) and starts `command` in it.
    ///
    /// # Errors
    /// When the group or the process cannot be made.
    pub fn start(
        command: &ProcessCommand,
        base: Option<(&Base, &str)>,
        limits: &Limits,
    ) -> Result<Self, HostError> {
        let stderr = memfd_create(c"lumos-stderr", MFdFlags::MFD_CLOEXEC)
            .map_err(|e| HostError::system("make a file for the instance's standard error", e))?;
        let started_ns = monotonic_ns();
        let group = base.map(|(base, name)| Group::create(base, name, limits)).transpose()?;
        let attach = group.as_ref().map(Group::attach).transpose()?.unwrap_or_default();
        let cgroup_create_ns = monotonic_ns() - started_ns;
        let spawned = spawn(command, &attach, stderr.as_raw_fd(), Orphan::Killed)
            .map_err(|e| HostError::system("start an instance", e))?;
        let instance = Self {
            pid: spawned.pid,
            stdin: File::from(spawned.stdin),
            stdout: File::from(spawned.stdout),
            stderr: File::from(stderr),
            group,
            reaped: false,
            started_ns,
            cgroup_create_ns,
            attached_ns: spawned.attached_ns,
        };
        for pipe in [&instance.stdin, &instance.stdout] {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
                .map_err(|e| HostError::system("make a pipe non-blocking", e))?;
        }
        Ok(instance)
    }

    /// Sends one request and waits for its reply; what follows the reply's head is left
    /// in `answer` (whose old content is dropped) from [`REPLY_HEAD`] on.
    ///
    /// # Errors
    /// When the process died, passed `deadline_ns` (it is killed), or does not speak the
    /// protocol. The instance is then dead.
    pub fn exchange(
        &mut self,
        kind: RequestKind,
        request: &[u8],
        deadline_ns: u64,
        answer: &mut Vec<u8>,
    ) -> Result<Exchange, InvokeError> {
        let sent_ns = monotonic_ns();
        let result = self
            .send(kind, request, deadline_ns)
            .and_then(|()| self.receive(deadline_ns, answer))
            .and_then(|()| Reply::decode(answer).map(|(reply, _)| reply));
        let answered_ns = monotonic_ns();
        match result {
            Ok(reply) => outcome(reply, answer).map(|()| Exchange { reply, sent_ns, answered_ns }),
            Err(error) => Err(self.post_mortem(error, deadline_ns)),
        }
    }

    /// CPU time of all its threads since its creation, in nanoseconds; `None` when it is
    /// gone.
    pub fn cpu_ns(&self) -> Option<u64> {
        if self.reaped { None } else { cpu_ns_of(self.pid) }
    }

    /// Its cgroup, if it has one.
    pub fn group(&self) -> Option<&Group> {
        self.group.as_ref()
    }

    /// Number of its process.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Parts of `provision`, once it is known when `main` was entered.
    pub fn spans(&self, entered_ns: u64) -> ProvisionSpans {
        let cgroup_end_ns = self.started_ns + self.cgroup_create_ns;
        ProvisionSpans {
            cgroup_create_ns: self.cgroup_create_ns,
            attach_ns: self.attached_ns.saturating_sub(cgroup_end_ns),
            exec_ns: entered_ns.saturating_sub(self.attached_ns),
        }
    }

    fn send(&mut self, kind: RequestKind, request: &[u8], deadline_ns: u64) -> io::Result<()> {
        let length = u32::try_from(request.len())
            .ok()
            .filter(|length| *length < MAX_FRAME)
            .ok_or_else(|| invalid("the request is too long for a frame"))?;
        let head = request_head(kind, length);
        let mut slices = [io::IoSlice::new(&head), io::IoSlice::new(request)];
        let mut left = &mut slices[..];
        io::IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            match self.stdin.write_vectored(left) {
                Ok(written) => io::IoSlice::advance_slices(&mut left, written),
                Err(error) => wait_for(error, self.stdin.as_fd(), PollFlags::POLLOUT, deadline_ns)?,
            }
        }
        Ok(())
    }

    fn receive(&mut self, deadline_ns: u64, frame: &mut Vec<u8>) -> io::Result<()> {
        let mut length = [0; 4];
        self.read_exactly(&mut length, deadline_ns)?;
        let length = u32::from_le_bytes(length);
        if !(REPLY_HEAD as u32..=MAX_FRAME).contains(&length) {
            return Err(invalid("the process does not speak the instance protocol"));
        }
        frame.clear();
        // Grows with what arrives: a wrong length must not allocate.
        while frame.len() < length as usize {
            let start = frame.len();
            frame.resize((start + READ_CHUNK).min(length as usize), 0);
            self.read_exactly(&mut frame[start..], deadline_ns)?;
        }
        Ok(())
    }

    fn read_exactly(&mut self, mut buffer: &mut [u8], deadline_ns: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.stdout.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => buffer = &mut buffer[read..],
                Err(error) => wait_for(error, self.stdout.as_fd(), PollFlags::POLLIN, deadline_ns)?,
            }
        }
        Ok(())
    }

    /// Ends the process and says why the exchange failed.
    fn post_mortem(&mut self, error: io::Error, deadline_ns: u64) -> InvokeError {
        if error.kind() == io::ErrorKind::TimedOut || monotonic_ns() >= deadline_ns {
            self.end();
            return InvokeError::Timeout("the deadline passed; the process was killed".to_owned());
        }
        if error.kind() == io::ErrorKind::InvalidData {
            self.end();
            return InvokeError::Failed(format!("{error}{}", self.last_words()));
        }
        // It closed its streams: it is dead or about to be.
        let status = if self.reaped { None } else { self.reap() };
        if self.group.as_ref().and_then(Group::oom_kills).is_some_and(|kills| kills > 0) {
            return InvokeError::OutOfMemory(format!(
                "the kernel killed the process at its memory limit{}",
                self.last_words()
            ));
        }
        let death = match status {
            Some(WaitStatus::Exited(_, code)) => format!("the process exited with code {code}"),
            Some(WaitStatus::Signaled(_, signal, _)) => {
                format!("the process was ended by {signal}")
            }
            _ => format!("the process closed its streams ({error})"),
        };
        let words = self.last_words();
        if words.contains("memory allocation of") {
            return InvokeError::OutOfMemory(format!("{death}{words}"));
        }
        InvokeError::Trap(format!("{death}{words}"))
    }

    /// Waits for a process that closed its streams; one that lingers is killed.
    fn reap(&mut self) -> Option<WaitStatus> {
        use nix::sys::wait::WaitPidFlag;

        let patience_ns = monotonic_ns() + Duration::from_millis(200).as_nanos() as u64;
        while monotonic_ns() < patience_ns {
            match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_micros(200)),
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

    /// The end of what the process wrote to its standard error.
    fn last_words(&self) -> String {
        let length = self.stderr.metadata().map_or(0, |metadata| metadata.len());
        let start = length.saturating_sub(STDERR_TAIL);
        let mut tail = vec![0; (length - start) as usize];
        if tail.is_empty() || self.stderr.read_exact_at(&mut tail, start).is_err() {
            return String::new();
        }
        format!("; it said: {}", String::from_utf8_lossy(&tail).trim())
    }
}

impl Drop for ProcessInstance {
    fn drop(&mut self) {
        self.end();
    }
}

/// The error that an instance's own account stands for; its message follows the head.
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

/// After a read or write that would block: waits until it would not, or the deadline.
fn wait_for(
    error: io::Error,
    fd: BorrowedFd<'_>,
    flags: PollFlags,
    deadline_ns: u64,
) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::Interrupted => return Ok(()),
        io::ErrorKind::WouldBlock => {}
        _ => return Err(error),
    }
    let left_ns = deadline_ns.saturating_sub(monotonic_ns());
    let timeout = Duration::from_nanos(left_ns).into();
    match ppoll(&mut [PollFd::new(fd, flags)], Some(timeout), None) {
        Ok(0) => Err(io::ErrorKind::TimedOut.into()),
        Ok(_) | Err(nix::Error::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use nix::sys::time::TimeValLike;
    use nix::time::{ClockId, clock_gettime};
    use nix::unistd::{SysconfVar, sysconf};

    use super::*;

    /// `starttime` of proc_pid_stat(5), which the kernel took by itself, in nanoseconds of
    /// `CLOCK_MONOTONIC`; and how coarse it is.
    fn kernels_start_ns(pid: Pid) -> (i64, i64) {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let ticks = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap();
        let tick_ns = 1_000_000_000 / sysconf(SysconfVar::CLK_TCK).unwrap().unwrap();
        // The least of several: whoever is interrupted between two clocks reads too much.
        let suspended_ns = || {
            let now_ns = monotonic_ns() as i64;
            clock_gettime(ClockId::CLOCK_BOOTTIME).unwrap().num_nanoseconds() - now_ns
        };
        let suspended_ns = (0..20).map(|_| suspended_ns()).min().unwrap();
        (ticks.parse::<i64>().unwrap() * tick_ns - suspended_ns, tick_ns)
    }

    #[test]
    fn the_spans_of_provisioning_enclose_what_the_kernel_saw() {
        let command = ProcessCommand { program: "/bin/cat".into(), args: vec![], env: vec![] };
        for _ in 0..3 {
            let begin_ns = monotonic_ns();
            let instance = ProcessInstance::start(&command, None, &Limits::default()).unwrap();
            let spans = instance.spans(monotonic_ns());
            let end_ns = monotonic_ns();
            let (start_ns, tick_ns) = kernels_start_ns(instance.pid());
            let cgroup_end_ns = instance.started_ns + spans.cgroup_create_ns;
            assert!(begin_ns <= instance.started_ns);
            assert!(start_ns + tick_ns >= cgroup_end_ns as i64 - 1_000_000);
            assert!(start_ns <= instance.attached_ns as i64);
            assert_eq!(cgroup_end_ns + spans.attach_ns, instance.attached_ns);
            assert!(instance.attached_ns + spans.exec_ns <= end_ns);
        }
    }

    fn exchange() -> Exchange {
        let reply = Reply {
            outcome: ReplyOutcome::Answered,
            entered_ns: 130,
            ready_ns: 200,
            received_ns: 215,
            replied_ns: 300,
            load_ns: 20,
            compile_ns: 10,
            instantiate_ns: 5,
            request_ns: 1,
            response_ns: 2,
            memory_bytes: 0,
        };
        Exchange { reply, sent_ns: 110, answered_ns: 320 }
    }

    #[test]
    fn a_new_process_accounts_for_every_nanosecond() {
        let phases = exchange().phases(Some(100));
        assert_eq!(phases.get(Phase::Provision), 30 + 35);
        assert_eq!(phases.get(Phase::Request), 15 + 1);
        assert_eq!(phases.get(Phase::Response), 20 + 2);
        assert_eq!(phases.cold_start(), 100);
    }

    #[test]
    fn a_running_process_waits_for_the_pipe_only() {
        let mut exchange = exchange();
        exchange.sent_ns = 205;
        let phases = exchange.phases(None);
        assert_eq!(phases.get(Phase::Provision), 0);
        assert_eq!(phases.get(Phase::Request), 10 + 1);
    }
}
