//! SIGINT, SIGTERM and SIGHUP: the first one kills the hosts, and the command then ends as
//! after any other error. A second one ends the process at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use crate::sync::lock;

/// Number of the first signal that was received; 0 before that.
static FIRST_SIGNAL: AtomicI32 = AtomicI32::new(0);
/// Whether a signal was received; the same fact as a flag.
static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Whether the first signal leaves the hosts running.
static SPARES_HOSTS: AtomicBool = AtomicBool::new(false);
/// The hosts that run.
static HOSTS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// A signal asks the command to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("received {0}")]
pub struct Interrupted(pub Signal);

impl Interrupted {
    /// The exit code of a command that a signal ended, by the convention of shells.
    pub fn exit_code(self) -> u8 {
        128 + self.0 as u8
    }
}

/// Handles signals from now on. Threads that already run are not covered, so this must be
/// called before others are started.
///
/// # Errors
/// When the signals cannot be blocked, or the thread that waits for them cannot be started.
pub fn install() -> anyhow::Result<()> {
    let mut signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
    if !is_ignored(Signal::SIGHUP) {
        signals.add(Signal::SIGHUP);
    }
    // New threads inherit the mask; `spawn` clears it in child processes.
    signals.thread_block()?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        while let Ok(signal) = signals.wait() {
            on_signal(signal);
        }
    })?;
    Ok(())
}

/// From now on the first signal does not kill the hosts: the caller must watch [`check`] and
/// shut them down. A second signal still kills them and ends this process.
///
/// # Errors
/// When a signal was already received, which has killed the hosts.
pub fn spare_hosts() -> Result<(), Interrupted> {
    SPARES_HOSTS.store(true, Ordering::SeqCst);
    check()
}

fn on_signal(signal: Signal) {
    let first = FIRST_SIGNAL.compare_exchange(0, signal as i32, Ordering::SeqCst, Ordering::SeqCst);
    IS_INTERRUPTED.store(true, Ordering::SeqCst);
    if first.is_ok() && SPARES_HOSTS.load(Ordering::SeqCst) {
        return;
    }
    for pid in lock(&HOSTS).iter() {
        let _ = kill(*pid, Signal::SIGKILL);
    }
    if first.is_err() {
        std::process::exit(Interrupted(signal).exit_code().into());
    }
}

/// Whether this process was started with `signal` ignored, as nohup does with SIGHUP.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal as i32 - 1) & 1 == 1
}

/// Whether a signal was received.
pub fn is_interrupted() -> bool {
    check().is_err()
}

/// Becomes true when a signal is received; for code that polls a flag.
pub fn flag() -> &'static AtomicBool {
    &IS_INTERRUPTED
}

/// Returns an error once a signal was received.
///
/// # Errors
/// The signal.
pub fn check() -> Result<(), Interrupted> {
    match Signal::try_from(FIRST_SIGNAL.load(Ordering::SeqCst)) {
        Ok(signal) => Err(Interrupted(signal)),
        Err(_) => Ok(()),
    }
}

/// A host that signals kill, for as long as this lives.
#[derive(Debug)]
pub(crate) struct RegisteredHost(Pid);

impl RegisteredHost {
    /// Registers the host with this process id; kills it when a signal was already received.
    pub(crate) fn new(pid: Pid) -> Self {
        lock(&HOSTS).push(pid);
        if is_interrupted() {
            let _ = kill(pid, Signal::SIGKILL);
        }
        Self(pid)
    }
}

impl Drop for RegisteredHost {
    fn drop(&mut self) {
        lock(&HOSTS).retain(|pid| *pid != self.0);
    }
}
