//! A group for one process.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use cgroups_rs::fs::error::Error as LibraryError;
use cgroups_rs::fs::{Cgroup, Subsystem};
use lumos_model::counters::Counters;
use lumos_model::protocol::Limits;
use nix::sys::signal::{Signal, kill};

use super::base::Base;
use super::folders::{Folders, processes, remove_after_kill};
use super::hierarchy::Mode;
use super::{counters, library, lock};
use crate::error::OsError;
use crate::spawn::Attach;

/// The kernel grants CPU bandwidth for periods of this length; this is its default.
const CFS_PERIOD_US: u64 = 100_000;

/// A control group with the limits of one instance. Dropping it kills the processes that are left
/// in the group, and removes it.
pub struct Group {
    folders: Folders,
}

impl Group {
    /// Creates the group `name` in `base` and writes its limits.
    ///
    /// # Errors
    /// When the group cannot be created, or when `limits` needs a controller that this machine
    /// does not offer.
    pub fn create(base: &Base, name: &str, limits: &Limits) -> Result<Self, OsError> {
        let _creation = lock::creation();
        let path = format!("{}/{name}", base.path());
        let handle = base.load(&path);
        let folders = Folders { mode: base.mode(), v1: Vec::new(), unified: None };
        // From here on, an error removes what exists of the group.
        let mut group = Self { folders };
        if let Some(root) = base.unified() {
            let folder = root.join(&path);
            std::fs::create_dir(&folder).map_err(|e| OsError::folder(&folder, e))?;
            group.folders.unified = Some(folder);
        }
        if base.mode() != Mode::V2 {
            handle.create().map_err(|error| {
                let cause = library::with_cause(&error);
                OsError::unavailable(format!("cannot create the cgroup {path}: {cause}"))
            })?;
            group.folders.v1 = v1_folders(&handle);
        }
        write_limits(handle.subsystems(), limits)?;
        Ok(group)
    }

    /// The open files that place a new child in this group.
    ///
    /// # Errors
    /// When the group's files cannot be opened.
    pub fn attach(&self) -> Result<Attach, OsError> {
        let open = |path: &Path, write: bool| -> Result<OwnedFd, OsError> {
            File::options()
                .read(!write)
                .write(write)
                .open(path)
                .map(OwnedFd::from)
                .map_err(|e| OsError::call(format!("cannot open {}", path.display()), e))
        };
        let Folders { v1, unified, .. } = &self.folders;
        let clone_into = unified.as_ref().map(|folder| open(folder, false)).transpose()?;
        let procs = v1.iter().map(|folder| open(&folder.join("cgroup.procs"), true));
        Ok(Attach { clone_into, procs: procs.collect::<Result<_, _>>()? })
    }

    /// All counters that this machine offers for the group.
    pub fn counters(&self) -> Counters {
        counters::read(&self.folders)
    }

    /// Highest memory use of the group so far, in bytes; `None` if the kernel does not report it.
    pub fn memory_peak_bytes(&self) -> Option<u64> {
        counters::memory_peak(&self.folders)
    }

    /// Number of processes of the group that the kernel killed because memory ran out.
    pub fn oom_kills(&self) -> Option<u64> {
        counters::oom_kills(&self.folders)
    }

    /// Kills every process of the group.
    pub fn kill(&self) {
        if let Some(folder) = &self.folders.unified
            && std::fs::write(folder.join("cgroup.kill"), "1").is_ok()
        {
            return;
        }
        for pid in self.folders.iter().flat_map(|folder| processes(folder)) {
            let _ = kill(pid, Signal::SIGKILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.folders.iter().all(|folder| std::fs::remove_dir(folder).is_ok()) {
            return;
        }
        self.kill();
        for folder in self.folders.iter() {
            remove_after_kill(folder);
        }
    }
}

/// The distinct folders of a version 1 group: controllers may share a hierarchy.
fn v1_folders(group: &Cgroup) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for subsystem in group.subsystems() {
        let folder = subsystem.to_controller().path();
        if !folders.iter().any(|known| known == folder) {
            folders.push(folder.to_owned());
        }
    }
    folders
}

fn write_limits(subsystems: &[Subsystem], limits: &Limits) -> Result<(), OsError> {
    let failed = |key: &str, error: LibraryError| {
        let cause = library::with_cause(&error);
        OsError::unavailable(format!("cannot apply limits.{key} to the cgroup: {cause}"))
    };
    if let Some(cpus) = limits.cpus {
        let quota = (cpus * CFS_PERIOD_US as f64).round() as i64;
        let cpu = subsystems.iter().find_map(|subsystem| match subsystem {
            Subsystem::Cpu(cpu) => Some(cpu),
            _ => None,
        });
        cpu.ok_or_else(|| no_controller("cpu", "limits.cpus"))?
            .set_cfs_quota_and_period(Some(quota), Some(CFS_PERIOD_US))
            .map_err(|error| failed("cpus", error))?;
    }
    if let Some(bytes) = limits.memory {
        let memory = subsystems.iter().find_map(|subsystem| match subsystem {
            Subsystem::Mem(memory) => Some(memory),
            _ => None,
        });
        memory
            .ok_or_else(|| no_controller("memory", "limits.memory"))?
            .set_limit(bytes.0 as i64)
            .map_err(|error| failed("memory", error))?;
    }
    Ok(())
}

fn no_controller(controller: &str, key: &str) -> OsError {
    OsError::unavailable(format!(
        "{key} needs the cgroup controller `{controller}`, which this machine does not offer; \
         on a Raspberry Pi add `cgroup_enable={controller}` to the kernel's command line, \
         or leave {key} out"
    ))
}
