//! Ctrl-C and SIGTERM: the hosts that run are ended, and the command comes to its end
//! in good order.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

/// Number of the signal that came; 0: none.
static SIGNAL: AtomicI32 = AtomicI32::new(0);
/// Whether the first signal leaves the hosts alone.
static SPARES_HOSTS: AtomicBool = AtomicBool::new(false);
/// Whether a signal has come.
static CAME: AtomicBool = AtomicBool::new(false);
static HOSTS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Somebody wants the command to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} came")]
pub struct Interrupted(pub Signal);

impl Interrupted {
    /// The exit code that a shell gives a command which a signal ended.
    pub fn exit_code(self) -> u8 {
        128 + self.0 as u8
    }
}

/// From now on the first signal ends the hosts instead of this process; a second one
/// ends this process where it stands. Threads that run already are not covered.
///
/// # Errors
/// When signals cannot be blocked or the thread that waits for them not be started.
pub fn install() -> anyhow::Result<()> {
    let mut signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
    if !is_ignored(Signal::SIGHUP) {
        signals.add(Signal::SIGHUP);
    }
    // Later threads inherit the block, and processes that are spawned shed it.
    signals.thread_block()?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        while let Ok(signal) = signals.wait() {
            on_signal(signal);
        }
    })?;
    Ok(())
}

/// From now on the first signal ends nothing: whoever asks [`check`] learns of it and brings
/// the hosts to their end. A second one ends them, and this process.
///
/// # Errors
/// When a signal has come already, which has ended the hosts.
pub fn spare_hosts() -> Result<(), Interrupted> {
    SPARES_HOSTS.store(true, Ordering::SeqCst);
    check()
}

fn on_signal(signal: Signal) {
    let first = SIGNAL.compare_exchange(0, signal as i32, Ordering::SeqCst, Ordering::SeqCst);
    CAME.store(true, Ordering::SeqCst);
    if first.is_ok() && SPARES_HOSTS.load(Ordering::SeqCst) {
        return;
    }
    for pid in HOSTS.lock().unwrap_or_else(|e| e.into_inner()).iter() {
        let _ = kill(*pid, Signal::SIGKILL);
    }
    if first.is_err() {
        std::process::exit(Interrupted(signal).exit_code().into());
    }
}

/// Whether whoever started this process wants it to outlive `signal`, as nohup does.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal as i32 - 1) & 1 == 1
}

/// Whether a signal has come.
pub fn is_interrupted() -> bool {
    check().is_err()
}

/// Becomes true when a signal comes, for those that can wait on nothing else.
pub fn flag() -> &'static AtomicBool {
    &CAME
}

/// # Errors
/// When a signal has come.
pub fn check() -> Result<(), Interrupted> {
    match Signal::try_from(SIGNAL.load(Ordering::SeqCst)) {
        Ok(signal) => Err(Interrupted(signal)),
        Err(_) => Ok(()),
    }
}

/// A process that a signal ends; forgotten when this is dropped.
#[derive(Debug)]
pub struct Registered(Pid);

impl Registered {
    /// Ends `pid` when a signal comes.
    pub fn new(pid: Pid) -> Self {
        HOSTS.lock().unwrap_or_else(|e| e.into_inner()).push(pid);
        if is_interrupted() {
            let _ = kill(pid, Signal::SIGKILL);
        }
        Self(pid)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        HOSTS.lock().unwrap_or_else(|e| e.into_inner()).retain(|pid| *pid != self.0);
    }
}
