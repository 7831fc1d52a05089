//! Instances go and leave nothing behind.

use std::fs;

use lumos_model::cell::{Isolation, Start};
use lumos_model::row::Outcome;
use lumos_runtime::engine::Runtime;

use super::artifacts;
use super::groups::Reserved;
use super::host::Host;
use super::subject::{Subject, show};

/// Instances before the first look: caches and allocators are warm then.
const BEFORE: u32 = 20;

/// What resident memory may grow by, whatever the number of instances. At most 0.15 MiB was
/// seen of any target, and 4.7 MiB where a hundred instances of the guest were leaked.
const GROWTH_BYTES: u64 = 2 << 20;

/// Memory, open files, threads, processes and cgroups of a host are the same after many
/// instances, and none of it is there when the host has left.
pub fn nothing_is_left<R: Runtime>(subject: &Subject<R>) {
    let mut prepare = subject.prepare();
    prepare.artifact = artifacts::find("noop", &subject.capability().form);
    prepare.request = "{}".to_owned();
    prepare.start = match subject.isolation() {
        Isolation::Thread => Start::ColdInstance,
        Isolation::Process => Start::ColdProcess,
    };
    let groups = Reserved::new();
    prepare.cgroup = (subject.isolation() == Isolation::Process).then(|| groups.base());
    let mut host = Host::start(subject.host());
    host.prepare(prepare);

    make(&mut host, BEFORE.min(subject.instances()));
    let before = Footprint::of(host.pid());
    make(&mut host, subject.instances());
    let after = Footprint::of(host.pid());

    assert_eq!(after.counted(), before.counted());
    assert_eq!(after.children, 0, "instances run on");
    let growth = after.resident_bytes.saturating_sub(before.resident_bytes);
    assert!(growth < GROWTH_BYTES, "{before:?} became {after:?}");

    let members = groups.members();
    assert!(members.is_empty(), "cgroups of instances were left: {members:?}");

    let status = host.end();
    assert!(status.success(), "the host left with {status}");
    let folders = groups.folders();
    assert!(folders.is_empty(), "cgroups were left: {folders:?}");
}

fn make(host: &mut Host, instances: u32) {
    let block = host.block(instances);
    assert_eq!(block.samples.len(), instances as usize);
    for sample in block.samples {
        assert_eq!(sample.outcome, Outcome::Ok, "{}", show(&sample));
    }
}

/// What a process holds.
#[derive(Debug)]
struct Footprint {
    resident_bytes: u64,
    open_files: usize,
    threads: usize,
    children: usize,
}

impl Footprint {
    fn of(pid: u32) -> Self {
        let entries = |name: &str| {
            let folder = format!("/proc/{pid}/{name}");
            fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder}: {e}")).count()
        };
        Self {
            resident_bytes: resident_bytes(pid),
            open_files: entries("fd"),
            threads: entries("task"),
            children: children(pid),
        }
    }

    /// All that must not change at all: open files, threads, children.
    fn counted(&self) -> [usize; 3] {
        [self.open_files, self.threads, self.children]
    }
}

/// `VmRSS` of proc_pid_status(5).
fn resident_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the host runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).expect("a line of kilobytes");
    kib.trim().parse::<u64>().expect("a number") << 10
}

/// Processes whose parent is `pid`, dead ones that nobody waited for included.
fn children(pid: u32) -> usize {
    let stats = fs::read_dir("/proc").expect("Linux").flatten().map(|entry| entry.path());
    stats
        .filter_map(|process| fs::read_to_string(process.join("stat")).ok())
        // proc_pid_stat(5): pid (name) state parent; a name may hold spaces and brackets.
        .filter_map(|stat| stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok())
        .filter(|parent: &u32| *parent == pid)
        .count()
}
