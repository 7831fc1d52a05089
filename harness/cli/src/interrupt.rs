//! Ctrl-C and SIGTERM: the hosts that run are ended, and the command comes to its end
//! in good order.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static HOSTS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// The user wants the command to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// From now on a signal ends the hosts instead of this process.
///
/// # Errors
/// When the handler cannot be set.
pub fn install() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        INTERRUPTED.store(true, Ordering::SeqCst);
        for pid in HOSTS.lock().unwrap_or_else(|e| e.into_inner()).iter() {
            let _ = kill(*pid, Signal::SIGKILL);
        }
    })?;
    Ok(())
}

/// Whether a signal has come.
pub fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// # Errors
/// When a signal has come.
pub fn check() -> Result<(), Interrupted> {
    if is_interrupted() { Err(Interrupted) } else { Ok(()) }
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
