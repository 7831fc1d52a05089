//! A group for one process.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cgroups_rs::fs::Subsystem;
use lumos_model::counters::Counters;
use lumos_model::protocol::Limits;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::sweep::MAKING;
use super::{Base, Mode, counters};
use crate::error::OsError;
use crate::spawn::Attach;

/// Bandwidth is handed out in slices of this length (the kernel's default).
const CFS_PERIOD_US: u64 = 100_000;
pub(super) const REMOVE_PATIENCE: Duration = Duration::from_secs(2);

/// A control group with the limits of one instance; removed when it is dropped, with
/// what still runs in it.
pub struct Group {
    mode: Mode,
    subsystems: Vec<Subsystem>,
    /// Folders on version 1, one a hierarchy, without doubles.
    v1: Vec<PathBuf>,
    /// Folder on version 2.
    unified: Option<PathBuf>,
}

impl Group {
    /// Makes the group `name` in `base` and writes its limits.
    ///
    /// # Errors
    /// When the group cannot be made, or a limit was asked for whose controller this
    /// machine does not offer.
    pub fn create(base: &Base, name: &str, limits: &Limits) -> Result<Self, OsError> {
        let _making = MAKING.lock();
        let path = format!("{}/{name}", base.path);
        let failed =
            |e: cgroups_rs::fs::error::Error| OsError::unavailable(format!("cgroup {path}: {e}"));
        let handle = base.load(&path);
        let subsystems = handle.subsystems().clone();
        let mut group = Self { mode: base.mode, subsystems, v1: Vec::new(), unified: None };
        if let Some(root) = &base.unified {
            let folder = root.join(&path);
            std::fs::create_dir(&folder)
                .map_err(|e| OsError::call(format!("make {}", folder.display()), e))?;
            group.unified = Some(folder);
        }
        if base.mode != Mode::V2 {
            handle.create().map_err(failed)?;
            for subsystem in &group.subsystems {
                let folder = subsystem.to_controller().path().to_owned();
                if !group.v1.contains(&folder) {
                    group.v1.push(folder);
                }
            }
        }
        group.limit(limits)?;
        Ok(group)
    }

    fn limit(&self, limits: &Limits) -> Result<(), OsError> {
        let failed = |what: &str, e: cgroups_rs::fs::error::Error| {
            let cause = std::error::Error::source(&e).map(|s| format!(": {s}")).unwrap_or_default();
            OsError::unavailable(format!("cgroup limit on {what}: {e}{cause}"))
        };
        if let Some(cpus) = limits.cpus {
            let quota = (cpus * CFS_PERIOD_US as f64).round() as i64;
            let controller = self.subsystems.iter().find_map(|s| match s {
                Subsystem::Cpu(cpu) => Some(cpu),
                _ => None,
            });
            controller
                .ok_or_else(|| missing("cpu", "limits.cpus"))?
                .set_cfs_quota_and_period(Some(quota), Some(CFS_PERIOD_US))
                .map_err(|e| failed("cpus", e))?;
        }
        if let Some(memory) = limits.memory {
            let controller = self.subsystems.iter().find_map(|s| match s {
                Subsystem::Mem(memory) => Some(memory),
                _ => None,
            });
            controller
                .ok_or_else(|| missing("memory", "limits.memory"))?
                .set_limit(memory.0 as i64)
                .map_err(|e| failed("memory", e))?;
        }
        Ok(())
    }

    /// What a child needs to be born into this group.
    ///
    /// # Errors
    /// When the group's files cannot be opened.
    pub fn attach(&self) -> Result<Attach, OsError> {
        let open = |path: &PathBuf, write: bool| -> Result<OwnedFd, OsError> {
            File::options()
                .read(!write)
                .write(write)
                .open(path)
                .map(OwnedFd::from)
                .map_err(|e| OsError::call(format!("open {}", path.display()), e))
        };
        let clone_into = self.unified.as_ref().map(|folder| open(folder, false)).transpose()?;
        let procs = self
            .v1
            .iter()
            .map(|folder| open(&folder.join("cgroup.procs"), true))
            .collect::<Result<_, _>>()?;
        Ok(Attach { clone_into, procs })
    }

    /// Every counter that this machine offers for the group, by name with its unit.
    pub fn counters(&self) -> Counters {
        counters::read(self.mode, &self.v1, self.unified.as_deref())
    }

    /// The most memory that the group ever used, in bytes, if the kernel tells.
    pub fn memory_peak_bytes(&self) -> Option<u64> {
        counters::memory_peak(self.mode, &self.v1, self.unified.as_deref())
    }

    /// How many processes of the group the kernel killed for want of memory.
    pub fn oom_kills(&self) -> Option<u64> {
        counters::oom_kills(self.mode, &self.v1, self.unified.as_deref())
    }

    /// Ends every process of the group.
    pub fn kill(&self) {
        if let Some(folder) = &self.unified
            && std::fs::write(folder.join("cgroup.kill"), "1").is_ok()
        {
            return;
        }
        for folder in self.v1.iter().chain(&self.unified) {
            for pid in processes(folder) {
                let _ = kill(pid, Signal::SIGKILL);
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let folders = self.v1.iter().chain(&self.unified);
        if folders.clone().all(|folder| std::fs::remove_dir(folder).is_ok()) {
            return;
        }
        self.kill();
        for folder in folders {
            remove_patiently(folder);
        }
    }
}

/// The processes of a group. The kernel lists one of another PID namespace as 0, which
/// would mean our own process group to kill(2).
pub(super) fn processes(folder: &Path) -> impl Iterator<Item = Pid> {
    let procs = std::fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    let pids: Vec<i32> = procs.lines().filter_map(|line| line.parse().ok()).collect();
    pids.into_iter().filter(|pid| *pid > 0).map(Pid::from_raw)
}

/// Removes a group's folder; processes that were killed may need a moment to leave it.
fn remove_patiently(folder: &Path) {
    let start = Instant::now();
    while let Err(error) = std::fs::remove_dir(folder) {
        if error.kind() == std::io::ErrorKind::NotFound || start.elapsed() > REMOVE_PATIENCE {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn missing(controller: &str, key: &str) -> OsError {
    OsError::unavailable(format!(
        "{key} needs the cgroup controller `{controller}`, which this machine does not offer; \
         on a Raspberry Pi add `cgroup_enable={controller}` to the kernel's command line, \
         or leave {key} out"
    ))
}
