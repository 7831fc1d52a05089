//! The folders of one group in the cgroup file systems.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::hierarchy::Mode;

/// How long to wait for killed processes to leave their group.
pub(super) const REMOVE_TIMEOUT: Duration = Duration::from_secs(2);

/// The pause between two attempts to remove a folder.
pub(super) const REMOVE_INTERVAL: Duration = Duration::from_millis(1);

/// The folders of one group, over all hierarchies.
pub(super) struct Folders {
    /// How this machine mounts control groups.
    pub mode: Mode,
    /// The distinct folders on version 1.
    pub v1: Vec<PathBuf>,
    /// The folder on version 2.
    pub unified: Option<PathBuf>,
}

impl Folders {
    pub fn iter(&self) -> impl Iterator<Item = &PathBuf> + Clone {
        self.v1.iter().chain(&self.unified)
    }
}

/// The processes of the group at `folder`. Numbers below 1 are left out: the kernel lists a
/// process of another PID namespace as 0, and kill(2) takes 0 for the caller's process group.
pub(super) fn processes(folder: &Path) -> impl Iterator<Item = Pid> {
    let procs = std::fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    let pids: Vec<i32> = procs.lines().filter_map(|line| line.parse().ok()).collect();
    pids.into_iter().filter(|pid| *pid > 0).map(Pid::from_raw)
}

/// Removes the folder of a group whose processes were killed. They may take a moment to leave it.
pub(super) fn remove_after_kill(folder: &Path) {
    let start = Instant::now();
    while let Err(error) = std::fs::remove_dir(folder) {
        if error.kind() == ErrorKind::NotFound || start.elapsed() > REMOVE_TIMEOUT {
            return;
        }
        std::thread::sleep(REMOVE_INTERVAL);
    }
}
