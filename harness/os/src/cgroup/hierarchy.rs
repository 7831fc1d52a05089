//! How this machine mounts control groups, and where.

use std::path::PathBuf;

use cgroups_rs::fs::Subsystem;
use cgroups_rs::fs::hierarchies::{self, is_cgroup2_unified_mode};
pub use lumos_model::fingerprint::CgroupMode as Mode;

use crate::error::OsError;

/// Name of the group, below the root of each hierarchy, that contains all groups of lumos.
pub const ROOT: &str = "lumos";

/// The controllers that limits and counters need, by their version 1 names.
const CONTROLLERS: [&str; 5] = ["cpu", "cpuacct", "memory", "pids", "io"];

/// How control groups are mounted, and the mount point of version 2 if there is one.
///
/// # Errors
/// When control groups are not mounted.
pub fn detect() -> Result<(Mode, Option<PathBuf>), OsError> {
    if is_cgroup2_unified_mode() {
        return Ok((Mode::V2, Some(PathBuf::from("/sys/fs/cgroup"))));
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo")
        .map_err(|e| OsError::call("cannot read /proc/self/mountinfo", e))?;
    let unified = mount_point(&mounts, "cgroup2");
    if mount_point(&mounts, "cgroup").is_some() {
        let mode = if unified.is_some() { Mode::Hybrid } else { Mode::V1 };
        return Ok((mode, unified));
    }
    Err(OsError::unavailable(
        "control groups are not mounted on this machine; run \
         `mount -t cgroup2 none /sys/fs/cgroup` as root",
    ))
}

/// The needed controllers that this machine offers: those of [`CONTROLLERS`].
pub(super) fn controllers() -> Vec<Subsystem> {
    let is_needed =
        |subsystem: &Subsystem| CONTROLLERS.contains(&subsystem.controller_name().as_str());
    hierarchies::auto().subsystems().into_iter().filter(is_needed).collect()
}

/// The roots of all hierarchies that can contain groups of lumos, each once.
pub fn roots() -> Vec<PathBuf> {
    let Ok((mode, unified)) = detect() else { return Vec::new() };
    let mut roots: Vec<PathBuf> = unified.into_iter().collect();
    if mode != Mode::V2 {
        let path = |subsystem: &Subsystem| subsystem.to_controller().path().to_owned();
        roots.extend(controllers().iter().map(path));
    }
    roots.sort();
    roots.dedup();
    roots
}

/// `cgroup.procs` of the version 1 group that this process is in, on any one hierarchy.
pub(super) fn own_procs() -> Option<PathBuf> {
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

/// The mount point of the first file system of this type (proc_pid_mountinfo(5)). cgroups-rs
/// finds version 1 mounts only.
fn mount_point(mountinfo: &str, file_system: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (mount, source) = line.split_once(" - ")?;
        let is_wanted = source.split(' ').next() == Some(file_system);
        let point = mount.split(' ').nth(4)?;
        is_wanted.then(|| PathBuf::from(point.replace("\\040", " ")))
    })
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
    fn finds_mounts_by_type() {
        let point = |file_system| mount_point(HYBRID, file_system);
        assert_eq!(point("cgroup"), Some("/sys/fs/cgroup/memory".into()));
        assert_eq!(point("cgroup2"), Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(point("ext4"), Some("/mnt/a b".into()));
        assert_eq!(point("btrfs"), None);
    }
}
