//! Our end of a host process.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use lumos_model::cell::Target;
use lumos_model::codec::{read_message, write_message};
use lumos_model::counters::Counters;
use lumos_model::protocol::{
    BlockResult, CgroupBase, FromHost, Limits, Load, LoadResult, ModeProof, PoolRecords, Pooled,
    Prepare, Serve, ToHost,
};
use lumos_model::row::Sample;
use lumos_model::units::Span;
use lumos_model::warning::Warning;
use lumos_os::cgroup::{self, Base, Group};
use lumos_os::pinning::pin;
use lumos_os::spawn::{Attach, Orphan, ProcessCommand, spawn};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::interrupt::{self, Interrupted, Registered};

/// How long a host may take for anything beside what it measures.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a host may take to stop what it runs and leave.
const FAREWELL: Duration = Duration::from_secs(5);

/// The cgroups of one `lumos` process; removed when it is dropped.
pub struct Groups {
    /// Such as `lumos/run-1234`; absent: this user may make none.
    path: Option<String>,
    hosts: AtomicU32,
}

impl Groups {
    /// Makes the folder for this process' groups, after removing what killed runs left.
    /// Also returns what is lost when there can be none.
    pub fn create() -> (Self, Option<Warning>) {
        cgroup::sweep_stale();
        let path = format!("{}/run-{}", cgroup::ROOT, std::process::id());
        // A dead run may have had the number that is ours now.
        cgroup::evacuate(&path);
        let (path, loss) = match Base::create(&path) {
            Ok(_) => (Some(path), None),
            Err(error) => (None, Some(Warning::NoControlGroups { reason: error.to_string() })),
        };
        (Self { path, hosts: AtomicU32::new(0) }, loss)
    }

    /// How this machine mounts control groups; `None`: not used.
    pub fn mode(&self) -> Option<cgroup::Mode> {
        self.path.as_ref().and_then(|_| Some(cgroup::detect().ok()?.0))
    }

    /// A folder for one more host and its instances.
    fn next(&self) -> Option<String> {
        let number = self.hosts.fetch_add(1, Ordering::Relaxed);
        self.path.as_ref().map(|path| format!("{path}/{number}"))
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            cgroup::evacuate(path);
        }
    }
}

/// Why a host did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Somebody wants the command to end.
    #[error("the host was ended")]
    Interrupted(#[from] Interrupted),
    /// The host refused; it goes on.
    #[error("{0}")]
    Refused(String),
    /// The kernel killed the host at the memory limit of the instances inside of it.
    #[error("{host}: the kernel killed it at its memory limit")]
    OutOfMemory {
        /// Its executable.
        host: String,
    },
    /// The host does not answer, though it had all the time that was agreed on.
    #[error("{host}: no answer within {seconds} s")]
    Silent {
        /// Its executable.
        host: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The host is gone.
    #[error("{host}: {reason}")]
    Gone {
        /// Its executable.
        host: String,
        /// What happened, with its last words.
        reason: String,
    },
}

/// A host process in a cgroup of its own.
pub struct HostClient {
    name: String,
    pid: Pid,
    requests: Option<File>,
    answers: Receiver<io::Result<FromHost>>,
    stderr: File,
    groups: Option<String>,
    // Dropped last, in this order: the group after the process that was in it.
    _registered: Registered,
    group: Option<Group>,
}

impl HostClient {
    /// Starts the host at `path`. `limits` bound the host itself, for instances that
    /// live inside it; its instances inherit its `core`.
    ///
    /// # Errors
    /// When its cgroup or its process cannot be made.
    pub fn start(
        path: &Path,
        groups: &Groups,
        limits: &Limits,
        core: Option<usize>,
    ) -> Result<Self, ClientError> {
        interrupt::check()?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let gone = |reason: String| ClientError::Gone { host: name.clone(), reason };
        let folder = groups.next();
        let group = folder
            .as_deref()
            .map(|folder| Group::create(&Base::create(folder)?, "host", limits))
            .transpose()
            .map_err(|e| gone(e.to_string()))?;
        let attach = match &group {
            Some(group) => group.attach().map_err(|e| gone(e.to_string()))?,
            None => Attach::default(),
        };
        let stderr = memfd_create(c"lumos-host-stderr", MFdFlags::MFD_CLOEXEC)
            .map_err(|e| gone(e.to_string()))?;
        let command = ProcessCommand {
            program: path.to_owned(),
            args: vec!["control".to_owned()],
            env: environment(),
        };
        let spawned = spawn(&command, &attach, stderr.as_raw_fd(), Orphan::Left)
            .map_err(|e| gone(e.to_string()))?;
        pin(spawned.pid, core).map_err(|e| gone(format!("pin it to its core: {e}")))?;
        let (sender, answers) = channel();
        let mut from = File::from(spawned.stdout);
        std::thread::spawn(move || {
            while let Some(answer) = read_message(&mut from).transpose() {
                let ended = answer.is_err();
                if sender.send(answer).is_err() || ended {
                    return;
                }
            }
        });
        Ok(Self {
            pid: spawned.pid,
            requests: Some(File::from(spawned.stdin)),
            answers,
            stderr: File::from(stderr),
            groups: folder,
            _registered: Registered::new(spawned.pid),
            group,
            name,
        })
    }

    /// Has the host show that `artifact` runs in the target's mode.
    ///
    /// # Errors
    /// When it does not.
    pub fn prove(&mut self, target: &Target, artifact: &Path) -> Result<ModeProof, ClientError> {
        let request = ToHost::ProveMode { target: target.clone(), artifact: artifact.to_owned() };
        match self.ask(&request, PATIENCE)? {
            FromHost::Proof(proof) => Ok(proof),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Makes the host ready for a cell; returns the samples of the warm-up.
    ///
    /// # Errors
    /// When the artifact cannot be loaded or no instance can be made.
    pub fn prepare(&mut self, mut prepare: Prepare) -> Result<Vec<Sample>, ClientError> {
        prepare.cgroup = self.groups.clone().map(|path| CgroupBase { path });
        let patience = PATIENCE + prepare.limits.timeout.0 * (prepare.warmup + 1);
        match self.ask(&ToHost::Prepare(Box::new(prepare)), patience)? {
            FromHost::Prepared { warmup } => Ok(warmup),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Has the host measure a block of the prepared cell, each sample within `bound`.
    ///
    /// # Errors
    /// When the host is gone or does not answer.
    pub fn block(
        &mut self,
        samples: u32,
        keep_output: bool,
        budget: Option<Span>,
        bound: Duration,
    ) -> Result<BlockResult, ClientError> {
        let patience = PATIENCE + bound * samples;
        match self.ask(&ToHost::Block { samples, keep_output, budget }, patience)? {
            FromHost::Block(result) => Ok(result),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Has the host open a gateway; returns where it listens, and what it does without.
    ///
    /// # Errors
    /// When the address cannot be had, an artifact not be loaded, or no instance be made.
    pub fn serve(&mut self, mut serve: Serve) -> Result<(SocketAddr, Vec<String>), ClientError> {
        for function in &mut serve.functions {
            function.prepare.cgroup = self.groups.clone().map(|path| CgroupBase { path });
        }
        let made = |f: &Pooled| f.prepare.limits.timeout.0 * (f.pool.min_instances + 1);
        let patience = PATIENCE + serve.functions.iter().map(made).sum::<Duration>();
        match self.ask(&ToHost::Serve(Box::new(serve)), patience)? {
            FromHost::Serving { address, warnings } => Ok((address, warnings)),
            other => Err(self.unexpected(&other)),
        }
    }

    /// What happened at the host's gateway since the last time.
    ///
    /// # Errors
    /// When there is no gateway, or the host is gone.
    pub fn take_records(&mut self) -> Result<PoolRecords, ClientError> {
        match self.ask(&ToHost::TakeRecords, PATIENCE)? {
            FromHost::Records(records) => Ok(records),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Closes the host's gateway; requests that wait or run may end `within` that time.
    ///
    /// # Errors
    /// When there is no gateway, or the host is gone.
    pub fn drain(&mut self, within: Span) -> Result<PoolRecords, ClientError> {
        match self.ask(&ToHost::Drain { within }, PATIENCE + within.0)? {
            FromHost::Drained(records) => Ok(records),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Has the host drive a pool from inside; its last response is there within `bound`.
    ///
    /// # Errors
    /// When the artifact cannot be loaded, no instance be made, or the host is gone.
    pub fn load(&mut self, mut load: Load, bound: Duration) -> Result<LoadResult, ClientError> {
        load.function.prepare.cgroup = self.groups.clone().map(|path| CgroupBase { path });
        match self.ask(&ToHost::Load(Box::new(load)), PATIENCE + bound)? {
            FromHost::Loaded(result) => Ok(result),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Lets time pass, as long as the host lives.
    ///
    /// # Errors
    /// When it is gone.
    pub fn linger(&mut self, time: Duration) -> Result<(), ClientError> {
        match self.answers.recv_timeout(time) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => Err(self.post_mortem("it ended".to_owned())),
            Ok(Err(error)) => Err(self.post_mortem(error.to_string())),
            Ok(Ok(answer)) => Err(self.unexpected(&answer)),
        }
    }

    /// Counters of the host's own cgroup.
    pub fn counters(&self) -> Option<Counters> {
        self.group.as_ref().map(Group::counters)
    }

    fn ask(&mut self, request: &ToHost, patience: Duration) -> Result<FromHost, ClientError> {
        let sent = match &mut self.requests {
            Some(to) => write_message(to, request),
            None => Ok(()),
        };
        if sent.is_err() {
            return Err(self.post_mortem("it ended".to_owned()));
        }
        match self.answers.recv_timeout(patience) {
            Ok(Ok(FromHost::Failed { error })) => Err(ClientError::Refused(error)),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.post_mortem(error.to_string())),
            Err(RecvTimeoutError::Disconnected) => Err(self.post_mortem("it ended".to_owned())),
            Err(RecvTimeoutError::Timeout) => {
                Err(ClientError::Silent { host: self.name.clone(), seconds: patience.as_secs() })
            }
        }
    }

    fn unexpected(&self, answer: &FromHost) -> ClientError {
        let reason = format!("an answer to another question: {answer:?}");
        ClientError::Gone { host: self.name.clone(), reason }
    }

    fn post_mortem(&mut self, what: String) -> ClientError {
        if let Err(interrupted) = interrupt::check() {
            return interrupted.into();
        }
        let _ = kill(self.pid, Signal::SIGKILL);
        if self.group.as_ref().and_then(Group::oom_kills).is_some_and(|kills| kills > 0) {
            return ClientError::OutOfMemory { host: self.name.clone() };
        }
        let mut words = String::new();
        let read = self.stderr.seek(SeekFrom::Start(0));
        let _ = read.and_then(|_| self.stderr.read_to_string(&mut words));
        let tail: Vec<&str> = words.trim().lines().rev().take(5).collect();
        let said: Vec<&str> = tail.into_iter().rev().collect();
        let reason = match said.is_empty() {
            true => what,
            false => format!("{what}; it said: {}", said.join(" | ")),
        };
        ClientError::Gone { host: self.name.clone(), reason }
    }
}

impl Drop for HostClient {
    fn drop(&mut self) {
        // The end of its input tells the host to stop what it runs and leave.
        self.requests = None;
        let begin = Instant::now();
        let mut pause = Duration::from_micros(100);
        while let Ok(WaitStatus::StillAlive) = waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
            if begin.elapsed() > FAREWELL {
                let _ = kill(self.pid, Signal::SIGKILL);
                let _ = waitpid(self.pid, None);
                break;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
        // A host that was killed could not clean up.
        self.group = None;
        if let Some(path) = &self.groups {
            cgroup::evacuate(path);
        }
    }
}

/// What a host may see of our environment: nothing that bears on a measurement.
fn environment() -> Vec<(String, String)> {
    let keep = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"];
    keep.iter().filter_map(|name| Some((name.to_string(), std::env::var(name).ok()?))).collect()
}
