//! The process of a host: its start, its messages, its end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use lumos_model::codec::{read_message, write_message};
use lumos_model::counters::Counters;
use lumos_model::protocol::{CgroupBase, FromHost, Limits, ToHost};
use lumos_os::cgroup::{self, Base, Group};
use lumos_os::pinning::pin;
use lumos_os::spawn::{Attach, Orphan, ProcessCommand, Spawned, spawn};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::error::ClientError;
use super::groups::ControlGroups;
use crate::interrupt::{self, RegisteredHost};

/// How long a host may take to stop its instances and exit.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
/// Lines of a dead host's standard error that an error shows.
const LAST_LINES: usize = 5;
/// The variables of our environment that a host gets: none that bears on a measurement.
const ENVIRONMENT: [&str; 4] = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"];

/// A host process in a control group of its own. Dropping it shuts the host down.
pub(super) struct HostProcess {
    name: String,
    pid: Pid,
    /// The host's standard input; `None` once it was told to exit.
    requests: Option<File>,
    answers: Receiver<io::Result<FromHost>>,
    stderr: File,
    /// Path of the control groups of the host and its instances.
    groups: Option<String>,
    // Dropped last, in this order: the group after the process that was in it.
    _registered: RegisteredHost,
    group: Option<Group>,
}

impl HostProcess {
    /// Starts the host at `path` in a new control group with `limits`, pinned to `core`.
    pub(super) fn start(
        path: &Path,
        groups: &ControlGroups,
        limits: &Limits,
        core: Option<usize>,
    ) -> Result<Self, ClientError> {
        interrupt::check()?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let gone = |reason: String| ClientError::Gone { host: name.clone(), reason };
        let groups = groups.next_host();
        let group = groups
            .as_deref()
            .map(|path| Group::create(&Base::create(path)?, "host", limits))
            .transpose()
            .map_err(|error| gone(error.to_string()))?;
        let stderr = memfd_create(c"lumos-host-stderr", MFdFlags::MFD_CLOEXEC)
            .map_err(|error| gone(error.to_string()))?;
        let spawned = spawn_host(path, group.as_ref(), &stderr).map_err(gone)?;
        pin(spawned.pid, core).map_err(|error| gone(format!("pin it to its core: {error}")))?;
        Ok(Self {
            name,
            pid: spawned.pid,
            requests: Some(File::from(spawned.stdin)),
            answers: read_answers(spawned.stdout),
            stderr: File::from(stderr),
            groups,
            _registered: RegisteredHost::new(spawned.pid),
            group,
        })
    }

    /// Sends a request and waits for its answer.
    pub(super) fn ask(
        &mut self,
        request: &ToHost,
        timeout: Duration,
    ) -> Result<FromHost, ClientError> {
        let sent = match &mut self.requests {
            Some(to) => write_message(to, request),
            None => Ok(()),
        };
        if sent.is_err() {
            return Err(self.post_mortem("it ended".to_owned()));
        }
        match self.receive(timeout)? {
            Some(FromHost::Failed { error }) => Err(ClientError::Refused(error)),
            Some(answer) => Ok(answer),
            None => {
                Err(ClientError::Silent { host: self.name.clone(), seconds: timeout.as_secs() })
            }
        }
    }

    /// The next message of the host; `None` when none comes within `timeout`.
    pub(super) fn receive(&mut self, timeout: Duration) -> Result<Option<FromHost>, ClientError> {
        match self.answers.recv_timeout(timeout) {
            Ok(Ok(answer)) => Ok(Some(answer)),
            Ok(Err(error)) => Err(self.post_mortem(error.to_string())),
            Err(RecvTimeoutError::Disconnected) => Err(self.post_mortem("it ended".to_owned())),
            Err(RecvTimeoutError::Timeout) => Ok(None),
        }
    }

    /// The error for an answer that does not belong to the request.
    pub(super) fn unexpected(&self, answer: &FromHost) -> ClientError {
        let reason = format!("the answer does not belong to the request: {answer:?}");
        ClientError::Gone { host: self.name.clone(), reason }
    }

    /// Where the host creates the control groups of its instances.
    pub(super) fn cgroup_base(&self) -> Option<CgroupBase> {
        self.groups.clone().map(|path| CgroupBase { path })
    }

    /// Counters of the host's own control group.
    pub(super) fn counters(&self) -> Option<Counters> {
        self.group.as_ref().map(Group::counters)
    }

    /// Kills a host that broke off the conversation, and finds out why.
    fn post_mortem(&mut self, symptom: String) -> ClientError {
        if let Err(interrupted) = interrupt::check() {
            return interrupted.into();
        }
        let _ = kill(self.pid, Signal::SIGKILL);
        if self.group.as_ref().and_then(Group::oom_kills).is_some_and(|kills| kills > 0) {
            return ClientError::OutOfMemory { host: self.name.clone() };
        }
        let said = self.last_lines();
        let reason = match said.is_empty() {
            true => symptom,
            false => format!("{symptom}; it said: {said}"),
        };
        ClientError::Gone { host: self.name.clone(), reason }
    }

    /// The last lines that the host wrote to standard error, as one line.
    fn last_lines(&mut self) -> String {
        let mut text = String::new();
        let read = self.stderr.seek(SeekFrom::Start(0));
        let _ = read.and_then(|_| self.stderr.read_to_string(&mut text));
        let lines: Vec<&str> = text.trim().lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join(" | ")
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        // At the end of its input a host stops its instances and exits.
        self.requests = None;
        let begin = Instant::now();
        let mut pause = Duration::from_micros(100);
        while let Ok(WaitStatus::StillAlive) = waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
            if begin.elapsed() > SHUTDOWN_TIMEOUT {
                let _ = kill(self.pid, Signal::SIGKILL);
                let _ = waitpid(self.pid, None);
                break;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
        // A host that was killed could not remove its groups.
        self.group = None;
        if let Some(path) = &self.groups {
            cgroup::evacuate(path);
        }
    }
}

/// Spawns the host at `path` in `group`; the error says what failed.
fn spawn_host(path: &Path, group: Option<&Group>, stderr: &OwnedFd) -> Result<Spawned, String> {
    let attach = match group {
        Some(group) => group.attach().map_err(|error| error.to_string())?,
        None => Attach::default(),
    };
    let variable = |name: &&str| Some((name.to_string(), std::env::var(name).ok()?));
    let command = ProcessCommand {
        program: path.to_owned(),
        args: vec!["control".to_owned()],
        env: ENVIRONMENT.iter().filter_map(variable).collect(),
    };
    spawn(&command, &attach, stderr.as_raw_fd(), Orphan::Left).map_err(|error| error.to_string())
}

/// Reads messages in a thread of its own, so that waiting for one can time out.
fn read_answers(stdout: OwnedFd) -> Receiver<io::Result<FromHost>> {
    let (sender, answers) = channel();
    let mut from = File::from(stdout);
    std::thread::spawn(move || {
        while let Some(answer) = read_message(&mut from).transpose() {
            let is_last = answer.is_err();
            if sender.send(answer).is_err() || is_last {
                return;
            }
        }
    });
    answers
}
