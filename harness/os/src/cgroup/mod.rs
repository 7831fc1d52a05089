//! Control groups: one for each instance that is a process, and one for each host.
//!
//! Hierarchies, limits and membership go through cgroups-rs, for version 1, 2 and
//! hybrid machines. Counters are read from the files themselves ([`counters`]), since
//! cgroups-rs turns an absent one into zero.

mod counters;
mod group;
mod sweep;

use std::path::{Path, PathBuf};

use cgroups_rs::fs::hierarchies::{self, V1, V2, is_cgroup2_unified_mode};
use cgroups_rs::fs::{Cgroup, Hierarchy, Subsystem};

pub use group::Group;
pub use sweep::{evacuate, leave, sweep_stale};

use sweep::MAKING;

use crate::error::OsError;

/// Name of the group below the root of each hierarchy that holds all of lumos'.
pub const ROOT: &str = "lumos";

/// Controllers that limits and counters need, by their version 1 names.
const CONTROLLERS: [&str; 5] = ["cpu", "cpuacct", "memory", "pids", "io"];

/// How this machine mounts control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Version 1 only.
    V1,
    /// Version 2 only.
    V2,
    /// Controllers on version 1, and a version 2 mount beside them.
    Hybrid,
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Mode::V1 => "v1",
            Mode::V2 => "v2",
            Mode::Hybrid => "hybrid",
        })
    }
}

/// A folder of groups, ready for [`Group`]s to be made in.
pub struct Base {
    mode: Mode,
    path: String,
    /// The controllers that are wanted and there.
    controllers: Vec<String>,
    /// Mounts of version 1, read once: finding them anew costs each group 50 us.
    mounts: V1,
    /// The version 2 mount, if there is one.
    unified: Option<PathBuf>,
    /// Version 1: the list of processes of the group that this process is in.
    own_procs: Option<PathBuf>,
}

impl Base {
    /// Makes the folder `path` (such as `lumos/run-17`) in each hierarchy that limits
    /// and counters need.
    ///
    /// # Errors
    /// When the machine has no control groups or this user may not make any.
    pub fn create(path: &str) -> Result<Self, OsError> {
        // Another run that ends may remove the folder of all runs between two of our steps.
        const TRIES: usize = 3;
        for _ in 1..TRIES {
            if let Ok(base) = Self::try_create(path) {
                return Ok(base);
            }
        }
        Self::try_create(path)
    }

    fn try_create(path: &str) -> Result<Self, OsError> {
        let _making = MAKING.lock();
        let (mode, unified) = detect()?;
        let failed = |error: cgroups_rs::fs::error::Error| {
            let cause =
                std::error::Error::source(&error).map(|s| format!(": {s}")).unwrap_or_default();
            OsError::Unavailable(format!(
                "cannot make the cgroup {path}: {error}{cause}; run as root, or delegate a cgroup to this user"
            ))
        };
        let controllers: Vec<String> = hierarchies::auto()
            .subsystems()
            .iter()
            .map(Subsystem::controller_name)
            .filter(|name| CONTROLLERS.contains(&name.as_str()))
            .collect();
        let own_procs = if mode == Mode::V2 { None } else { own_procs() };
        let (path_owned, mounts) = (path.to_owned(), V1::new());
        let base = Self { mode, path: path_owned, controllers, mounts, unified, own_procs };
        if mode == Mode::V2 {
            // Makes every folder of the path and passes the controllers down to below it.
            let setup = base.load(&format!("{path}/setup"));
            setup.create().and_then(|()| setup.delete()).map_err(failed)?;
        } else {
            base.load(path).create().map_err(failed)?;
        }
        if let (Mode::Hybrid, Some(root)) = (mode, &base.unified) {
            let folder = root.join(path);
            std::fs::create_dir_all(&folder)
                .map_err(|e| OsError::call(format!("make {}", folder.display()), e))?;
        }
        Ok(base)
    }

    /// A handle on the group at `path`, which need not exist.
    fn load(&self, path: &str) -> Cgroup {
        let hierarchy: Box<dyn Hierarchy> = match self.mode {
            Mode::V2 => Box::new(V2::new()),
            _ => Box::new(self.mounts.clone()),
        };
        Cgroup::load_with_specified_controllers(hierarchy, path, self.controllers.clone())
    }

    /// How this machine mounts control groups.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Version 1: has the kernel take the lock that moving a process needs, by moving this
    /// one to where it is. After an idle gap the first to take it waits for an RCU grace
    /// period, 4 to 15 ms, whatever is moved; a child that is born into a version 2 group
    /// takes no such lock. Call it off the clock, just before a process is made.
    pub fn warm_cgroup_lock(&self) {
        if let Some(procs) = &self.own_procs {
            // Where it cannot be written, the wait is in the sample's `attach_ns`.
            let _ = std::fs::write(procs, "0");
        }
    }

    /// The folder's path below the root of each hierarchy.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// Tells how control groups are mounted, and where version 2 is.
///
/// # Errors
/// When they are not mounted at all.
pub fn detect() -> Result<(Mode, Option<PathBuf>), OsError> {
    if is_cgroup2_unified_mode() {
        return Ok((Mode::V2, Some(PathBuf::from("/sys/fs/cgroup"))));
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo")
        .map_err(|e| OsError::call("read /proc/self/mountinfo", e))?;
    let unified = mount_point(&mounts, "cgroup2");
    if mount_point(&mounts, "cgroup").is_some() {
        let mode = if unified.is_some() { Mode::Hybrid } else { Mode::V1 };
        return Ok((mode, unified));
    }
    Err(OsError::unavailable(
        "this machine has no control groups mounted: mount -t cgroup2 none /sys/fs/cgroup",
    ))
}

/// `cgroup.procs` of the version 1 group that this process is in, on any one hierarchy.
fn own_procs() -> Option<PathBuf> {
    let membership = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    hierarchies::auto().subsystems().iter().find_map(|subsystem| {
        let name = subsystem.controller_name();
        let group = membership.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, group) = rest.split_once(':')?;
            controllers.split(',').any(|controller| controller == name).then_some(group)
        })?;
        let root = subsystem.to_controller().path().to_owned();
        let procs = root.join(group.trim_start_matches('/')).join("cgroup.procs");
        procs.is_file().then_some(procs)
    })
}

/// Where the first file system of this type is mounted, as proc_pid_mountinfo(5) tells;
/// cgroups-rs looks at version 1 mounts only.
fn mount_point(mountinfo: &str, file_system: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (mount, source) = line.split_once(" - ")?;
        let is_wanted = source.split(' ').next() == Some(file_system);
        let point = mount.split(' ').nth(4)?;
        is_wanted.then(|| PathBuf::from(point.replace("\\040", " ")))
    })
}

/// The folders of all hierarchies in which groups of lumos can stand, without doubles.
pub fn roots() -> Vec<PathBuf> {
    let Ok((mode, unified)) = detect() else { return Vec::new() };
    let mut roots: Vec<PathBuf> = unified.into_iter().collect();
    if mode != Mode::V2 {
        for subsystem in hierarchies::auto().subsystems() {
            if CONTROLLERS.contains(&subsystem.controller_name().as_str()) {
                roots.push(subsystem.to_controller().path().to_owned());
            }
        }
    }
    roots.sort();
    roots.dedup();
    roots
}

/// The first line of a file, if it can be read.
fn read_line(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.lines().next()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
40 31 0:37 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 - cgroup2 cgroup2 rw
42 31 0:39 / /mnt/a\\040b rw - ext4 /dev/sda1 rw
";

    #[test]
    fn mounts_are_found_by_type() {
        let point = |file_system| mount_point(HYBRID, file_system);
        assert_eq!(point("cgroup"), Some("/sys/fs/cgroup/memory".into()));
        assert_eq!(point("cgroup2"), Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(point("ext4"), Some("/mnt/a b".into()));
        assert_eq!(point("btrfs"), None);
    }
}
