//! The resources that the processes of a server hold.

use std::fs;
use std::path::{Path, PathBuf};

use lumos_testkit::leftovers;

/// The link target of epoll and eventfd descriptors, without the part in brackets.
const EVENT_LOOP: &str = "anon_inode:";

/// The resources of one process at one moment.
#[derive(Clone, Debug)]
pub struct Resources {
    /// The link targets of its descriptors, sorted.
    pub descriptors: Vec<String>,
    pub threads: u64,
    /// Anonymous memory (not backed by a file), in KiB.
    pub anonymous_kib: u64,
}

impl Resources {
    pub fn of(pid: i32) -> Self {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let status = fs::read_to_string(folder.join("status")).expect("the process exists");
        let memory = fs::read_to_string(folder.join("smaps_rollup")).expect("the process exists");
        Self {
            descriptors: descriptors(&folder),
            threads: field(&status, "Threads:"),
            anonymous_kib: field(&memory, "Anonymous:"),
        }
    }

    /// Descriptors other than those of event loops, and the number of the latter.
    pub fn without_event_loops(&self) -> (Vec<&str>, usize) {
        let (loops, others): (Vec<&str>, Vec<&str>) =
            self.descriptors.iter().map(String::as_str).partition(|kind| *kind == EVENT_LOOP);
        (others, loops.len())
    }
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in {text}"))
}

/// Without the numbers of pipes and sockets, which differ each time.
fn descriptors(folder: &Path) -> Vec<String> {
    let all = fs::read_dir(folder.join("fd")).expect("the process exists").flatten();
    let kind = |path: PathBuf| path.to_string_lossy().split('[').next().unwrap_or("").to_owned();
    let mut kinds: Vec<_> = all.filter_map(|fd| fs::read_link(fd.path()).ok()).map(kind).collect();
    kinds.sort();
    kinds
}

/// The number of processes whose parent is `host`, including zombies.
pub fn children(host: i32) -> usize {
    let is_child =
        |process: &leftovers::Process| process.host().is_some_and(|parent| parent.pid == host);
    leftovers::processes().filter(is_child).count()
}

/// The number of cgroup folders below those of the `lumos` process `pid`.
pub fn groups(lumos: u32) -> usize {
    leftovers::groups_of(lumos).iter().map(|folder| folders_below(folder)).sum()
}

fn folders_below(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).map(|entries| entries.flatten().collect::<Vec<_>>());
    let folders = entries.unwrap_or_default().into_iter().filter(|entry| entry.path().is_dir());
    folders.map(|entry| 1 + folders_below(&entry.path())).sum()
}
