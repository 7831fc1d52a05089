//! Removal of groups, whatever became of their processes.

use std::path::Path;
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid};

use super::folders::{REMOVE_INTERVAL, REMOVE_TIMEOUT, processes};
use super::hierarchy::{ROOT, roots};
use super::lock;

/// [`evacuate`] for a process that is about to end: its threads can create no group from now on.
pub fn leave(path: &str) {
    lock::forbid_creation();
    evacuate(path);
}

/// Kills every other process in the groups below `path`, moves this one out of them, and removes
/// the groups. Parent folders that become empty are removed too.
pub fn evacuate(path: &str) {
    for root in roots() {
        let folder = root.join(path);
        if folder.is_dir() {
            clear(&root, &folder);
            let parents = folder.ancestors().skip(1).take_while(|parent| *parent != root);
            for parent in parents {
                if std::fs::remove_dir(parent).is_err() {
                    break;
                }
            }
        }
    }
}

/// Removes the groups that killed runs left behind: groups of `lumos` whose name ends with the
/// number of a process that no longer exists. Returns their number.
pub fn sweep_stale() -> usize {
    let mut stale: Vec<String> = Vec::new();
    for root in roots() {
        let Ok(entries) = std::fs::read_dir(root.join(ROOT)) else { continue };
        for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
            let owner = name.rsplit('-').next().and_then(|pid| pid.parse().ok());
            if owner.is_some_and(is_gone) && !stale.contains(&name) {
                stale.push(name);
            }
        }
    }
    for name in &stale {
        evacuate(&format!("{ROOT}/{name}"));
    }
    stale.len()
}

/// Whether no process has this number. A process of another user exists too: EPERM.
fn is_gone(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None) == Err(nix::Error::ESRCH)
}

/// Removes `folder` and the groups below it, with their processes. It repeats until nothing is
/// left, because a process may start another one meanwhile.
fn clear(root: &Path, folder: &Path) {
    let start = Instant::now();
    loop {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.flatten().filter(|e| e.file_type().is_ok_and(|t| t.is_dir())) {
            clear(root, &entry.path());
        }
        for pid in processes(folder) {
            if pid == getpid() {
                let _ = std::fs::write(root.join("cgroup.procs"), "0");
            } else {
                let _ = kill(pid, Signal::SIGKILL);
            }
        }
        if std::fs::remove_dir(folder).is_ok() || start.elapsed() > REMOVE_TIMEOUT {
            return;
        }
        std::thread::sleep(REMOVE_INTERVAL);
    }
}
