//! No group is left behind, however a process of the run ended.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid};

use super::group::{REMOVE_PATIENCE, processes};
use super::{ROOT, roots};

/// Held while a group is made.
pub(super) static MAKING: Mutex<()> = Mutex::new(());

/// [`evacuate`] for a process that is about to end: none of its threads makes a group
/// from now on.
pub fn leave(path: &str) {
    std::mem::forget(MAKING.lock());
    evacuate(path);
}

/// Ends every other process in the groups below `path`, moves this one out, and removes
/// the groups, and the folders above that are then empty.
pub fn evacuate(path: &str) {
    for root in roots() {
        let folder = root.join(path);
        if folder.is_dir() {
            empty(&root, &folder);
            // The folders above go with the last one below them.
            let above = folder.ancestors().skip(1).take_while(|above| *above != root);
            for parent in above {
                if std::fs::remove_dir(parent).is_err() {
                    break;
                }
            }
        }
    }
}

/// Removes what runs that were killed left behind: groups of `lumos` whose name ends
/// with the number of a process that is gone. Returns how many there were.
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

/// Whether no process has this number; one of another user (EPERM) is there.
fn is_gone(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None) == Err(nix::Error::ESRCH)
}

/// Removes `folder` and all below it, with what runs there. It looks again and again,
/// since a process may be starting another one at this moment.
fn empty(root: &Path, folder: &Path) {
    let start = Instant::now();
    loop {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.flatten().filter(|e| e.file_type().is_ok_and(|t| t.is_dir())) {
            empty(root, &entry.path());
        }
        for pid in processes(folder) {
            if pid == getpid() {
                let _ = std::fs::write(root.join("cgroup.procs"), "0");
            } else {
                let _ = kill(pid, Signal::SIGKILL);
            }
        }
        if std::fs::remove_dir(folder).is_ok() || start.elapsed() > REMOVE_PATIENCE {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
