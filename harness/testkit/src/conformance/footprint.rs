//! Instances leave nothing behind.

use std::fs;

use lumos_model::cell::{Isolation, Start};
use lumos_model::row::Outcome;

use super::artifacts;
use super::groups::ReservedName;
use super::host::Host;
use super::subject::{Subject, show};

/// Instances before the first measurement, which warm up caches and allocators.
const WARMUP: u32 = 20;

/// The allowed growth of resident memory, whatever the number of instances. No target grew by
/// more than 0.15 MiB; a hundred leaked instances of the guest took 4.7 MiB.
const GROWTH_BYTES: u64 = 2 << 20;

/// A host's memory, open files, threads, processes and control groups are the same after many
/// instances, and no control group is left when the host has exited.
pub fn nothing_is_left(subject: &Subject) {
    let mut prepare = subject.prepare();
    prepare.artifact = artifacts::find("noop", &subject.capability().form);
    prepare.request = "{}".to_owned();
    prepare.start = match subject.isolation() {
        Isolation::Thread => Start::ColdInstance,
        Isolation::Process => Start::ColdProcess,
    };
    let groups = ReservedName::new();
    prepare.cgroup = (subject.isolation() == Isolation::Process).then(|| groups.base());
    let mut host = Host::start(subject.host());
    host.prepare(prepare);

    make(&mut host, WARMUP.min(subject.instances()));
    let before = Footprint::of(host.pid());
    make(&mut host, subject.instances());
    let after = Footprint::of(host.pid());

    assert_eq!(after.exact(), before.exact());
    assert_eq!(after.children, 0, "instances are still running");
    let growth = after.resident_bytes.saturating_sub(before.resident_bytes);
    assert!(growth < GROWTH_BYTES, "{before:?} became {after:?}");

    let members = groups.members();
    assert!(members.is_empty(), "control groups of instances were left: {members:?}");

    let status = host.end();
    assert!(status.success(), "the host exited with {status}");
    let folders = groups.folders();
    assert!(folders.is_empty(), "control groups were left: {folders:?}");
}

fn make(host: &mut Host, instances: u32) {
    let block = host.block(instances);
    assert_eq!(block.samples.len(), instances as usize);
    for sample in block.samples {
        assert_eq!(sample.outcome, Outcome::Ok, "{}", show(&sample));
    }
}

/// The resources of a process.
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

    /// The resources that must not change at all: open files, threads, children.
    fn exact(&self) -> [usize; 3] {
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

/// Processes whose parent is `pid`, including zombies.
fn children(pid: u32) -> usize {
    let stats = fs::read_dir("/proc").expect("Linux").flatten().map(|entry| entry.path());
    stats
        .filter_map(|process| fs::read_to_string(process.join("stat")).ok())
        // proc_pid_stat(5): pid (name) state parent. The name may contain spaces and brackets.
        .filter_map(|stat| stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok())
        .filter(|parent: &u32| *parent == pid)
        .count()
}
