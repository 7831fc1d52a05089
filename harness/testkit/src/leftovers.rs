//! What a run must not leave behind: processes and control groups.

use std::fs;
use std::path::{Path, PathBuf};

use crate::scratch::{Scratch, wait_until};

/// Asserts that nothing is left of the run of `lumos` process `pid`, now or soon: processes that
/// notice its end by themselves need a moment.
#[track_caller]
pub fn assert_nothing_left(scratch: &Scratch, pid: u32) {
    assert_no_process_left(scratch, pid);
    let mut left = Vec::new();
    wait_until(&format!("the groups of lumos/run-{pid} to go"), || {
        left = groups_of(pid);
        left.is_empty()
    });
}

/// Asserts that no process of the run is left, now or soon.
#[track_caller]
pub fn assert_no_process_left(scratch: &Scratch, pid: u32) {
    wait_until(&format!("the processes of run {pid} to go"), || !runs(scratch, pid));
}

/// Whether any process of the run is left.
pub fn runs(scratch: &Scratch, pid: u32) -> bool {
    processes().any(|process| process.pid != pid as i32 && process.is_of(scratch, pid))
}

/// Folders of the control groups of `lumos` process `pid`.
pub fn groups_of(pid: u32) -> Vec<PathBuf> {
    let folders = hierarchies().into_iter().map(|root| root.join(format!("lumos/run-{pid}")));
    folders.filter(|folder| folder.exists()).collect()
}

/// Where control groups are mounted.
pub fn hierarchies() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let mounts = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let groups = mounts.filter(|mount| mount[2] == "cgroup" || mount[2] == "cgroup2");
    groups.map(|mount| PathBuf::from(mount[1])).collect()
}

/// A process.
pub struct Process {
    /// Its process id.
    pub pid: i32,
    folder: PathBuf,
}

/// All processes of this machine.
pub fn processes() -> impl Iterator<Item = Process> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        Some(Process { pid, folder: entry.path() })
    })
}

impl Process {
    /// Whether a run started it: hosts and Redis servers work in the test's folder, instances are
    /// in the run's control groups.
    fn is_of(&self, scratch: &Scratch, lumos: u32) -> bool {
        let marker = scratch.path("");
        let marker = marker.to_str().unwrap().trim_end_matches('/');
        let cwd = fs::read_link(self.folder.join("cwd")).unwrap_or_default();
        let is_marked = cwd.starts_with(marker) || self.read("environ").contains(marker);
        (is_marked || self.read("cgroup").contains(&format!("/lumos/run-{lumos}/"))) && self.runs()
    }

    /// The host that started it, if that is alive.
    pub fn host(&self) -> Option<Self> {
        let pid = self.stat(1)? as i32;
        let parent = Self { pid, folder: Path::new("/proc").join(pid.to_string()) };
        let exe = fs::read_link(parent.folder.join("exe")).ok()?;
        exe.file_name()?.to_str()?.starts_with("lumos-host-").then_some(parent)
    }

    /// Whether it is an instance in a control group of the process `lumos`.
    pub fn is_instance(&self, lumos: u32) -> bool {
        let groups = self.read("cgroup");
        let prefix = format!("/lumos/run-{lumos}/");
        groups.lines().any(|group| group.contains(&prefix) && !group.ends_with("/host"))
            && self.runs()
    }

    /// CPU time that it has used, in ticks of 10 ms.
    pub fn ticks(&self) -> u64 {
        self.stat(11).unwrap_or(0)
    }

    /// Kills it.
    pub fn kill(&self) {
        let pid = nix::unistd::Pid::from_raw(self.pid);
        // It may have ended already.
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
    }

    /// Whether it is neither dead nor dying.
    fn runs(&self) -> bool {
        let stat = self.read("stat");
        let state = stat.rsplit(')').next().and_then(|rest| rest.trim().chars().next());
        state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
    }

    /// A field of `stat`, counted from the state, which is 0 (proc(5)).
    fn stat(&self, field: usize) -> Option<u64> {
        let stat = self.read("stat");
        stat.rsplit(')').next()?.split_whitespace().nth(field)?.parse().ok()
    }

    fn read(&self, file: &str) -> String {
        let bytes = fs::read(self.folder.join(file)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
