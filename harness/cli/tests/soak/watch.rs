//! What the processes of a server hold.

use std::fs;
use std::path::{Path, PathBuf};

use lumos_testkit::leftovers;

/// What epoll and eventfd descriptors link to, without the part in brackets.
const EVENT_LOOP: &str = "anon_inode:";

/// What one process holds at one moment.
#[derive(Clone, Debug)]
pub struct Held {
    /// What its descriptors are, sorted.
    pub descriptors: Vec<String>,
    pub threads: u64,
    /// Memory that is no file's, in KiB.
    pub anonymous_kib: u64,
}

impl Held {
    /// Of process `pid`.
    pub fn by(pid: i32) -> Self {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let status = fs::read_to_string(folder.join("status")).expect("it runs");
        let memory = fs::read_to_string(folder.join("smaps_rollup")).expect("it runs");
        Self {
            descriptors: descriptors(&folder),
            threads: field(&status, "Threads:"),
            anonymous_kib: field(&memory, "Anonymous:"),
        }
    }

    /// Descriptors but those of event loops, and how many those are.
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

/// Numbers of pipes and sockets are left out: they are others each time.
fn descriptors(folder: &Path) -> Vec<String> {
    let all = fs::read_dir(folder.join("fd")).expect("it runs").flatten();
    let kind = |path: PathBuf| path.to_string_lossy().split('[').next().unwrap_or("").to_owned();
    let mut kinds: Vec<_> = all.filter_map(|fd| fs::read_link(fd.path()).ok()).map(kind).collect();
    kinds.sort();
    kinds
}

/// Processes whose parent is `host`, those that are dead and not yet waited for too.
pub fn children(host: i32) -> usize {
    let is_child =
        |process: &leftovers::Process| process.host().is_some_and(|parent| parent.pid == host);
    leftovers::processes().filter(is_child).count()
}

/// Folders of control groups below those of `lumos` number `pid`.
pub fn groups(lumos: u32) -> usize {
    leftovers::groups_of(lumos).iter().map(|folder| below(folder)).sum()
}

fn below(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).map(|entries| entries.flatten().collect::<Vec<_>>());
    let folders = entries.unwrap_or_default().into_iter().filter(|entry| entry.path().is_dir());
    folders.map(|entry| 1 + below(&entry.path())).sum()
}
