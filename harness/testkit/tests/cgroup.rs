//! A child starts inside its control group, with its limits, on this machine's own hierarchies.

use std::path::Path;

use lumos_model::counters::Counter;
use lumos_model::protocol::Limits;
use lumos_model::units::ByteSize;
use lumos_model::wire::RequestKind;
use lumos_os::cgroup::{self, Base, Group, Mode};
use lumos_os::clock::monotonic_ns;
use lumos_os::spawn::ProcessCommand;
use lumos_os::spawn::{Orphan, spawn};
use lumos_runtime::{InvokeError, NewGroup, Sandbox};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;

/// A folder of control groups for one test.
struct Folder(String);

impl Folder {
    fn new(name: &str) -> Self {
        Self(format!("{}/test-{name}-{}", cgroup::ROOT, std::process::id()))
    }

    fn base(&self) -> Base {
        Base::create(&self.0).expect("these tests create control groups, so they need root")
    }

    /// The folder's paths, one for each hierarchy.
    fn paths(&self) -> Vec<std::path::PathBuf> {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let points = mounts.lines().filter(|line| line.contains(" - cgroup"));
        let points = points.filter_map(|line| line.split(' ').nth(4));
        points.map(|point| Path::new(point).join(&self.0)).filter(|path| path.exists()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        cgroup::evacuate(&self.0);
    }
}

fn shell(script: &str) -> ProcessCommand {
    ProcessCommand {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        env: Vec::new(),
    }
}

fn limits(mebibytes: u64) -> Limits {
    Limits { cpus: Some(0.5), memory: Some(ByteSize(mebibytes << 20)), ..Limits::default() }
}

fn start(command: &ProcessCommand, base: &Base, name: &str) -> Sandbox {
    Sandbox::start(command, Some(NewGroup { base, name }), &limits(16)).unwrap()
}

#[test]
fn a_child_starts_inside_its_group() {
    let folder = Folder::new("born");
    let base = folder.base();
    let group = Group::create(&base, "child", &limits(64)).unwrap();
    let attach = group.attach().unwrap();
    let child = spawn(&shell("read line"), &attach, 2, Orphan::Killed).unwrap();

    let membership = std::fs::read_to_string(format!("/proc/{}/cgroup", child.pid)).unwrap();
    let wanted = format!("/{}/child", folder.0);
    let has = |prefix: &str| membership.lines().any(|l| l.contains(prefix) && l.ends_with(&wanted));
    if base.mode() != Mode::V1 {
        assert!(has("0::"), "not in its version 2 group:\n{membership}");
    }
    if base.mode() != Mode::V2 {
        for controller in [":cpu", ":cpuacct", ":memory"] {
            assert!(has(controller), "not in its {controller} group:\n{membership}");
        }
    }
    let counters = group.counters();
    assert!(counters.get(Counter::MemoryCurrent) > Some(0), "{counters:?}");

    kill(child.pid, Signal::SIGKILL).unwrap();
    waitpid(child.pid, None).unwrap();
    drop(group);
    assert!(folder.paths().iter().all(|path| !path.join("child").exists()));
}

#[test]
fn limits_are_the_kernels() {
    let folder = Folder::new("limits");
    let base = folder.base();
    let _group = Group::create(&base, "child", &limits(64)).unwrap();
    let read = |file: &str| -> Option<String> {
        let paths = folder.paths();
        let text = paths
            .iter()
            .find_map(|path| std::fs::read_to_string(path.join("child").join(file)).ok())?;
        Some(text.trim().to_owned())
    };
    let (memory, cpus) = match base.mode() {
        Mode::V2 => (read("memory.max"), read("cpu.max")),
        _ => (read("memory.limit_in_bytes"), read("cpu.cfs_quota_us")),
    };
    assert_eq!(memory.as_deref(), Some("67108864"));
    let expected = if base.mode() == Mode::V2 { "50000 100000" } else { "50000" };
    assert_eq!(cpus.as_deref(), Some(expected));
}

#[test]
fn a_process_at_its_memory_limit_is_distinguished_from_one_that_crashes() {
    let folder = Folder::new("memory");
    let base = folder.base();
    let deadline_ns = monotonic_ns() + 30_000_000_000;
    // `tail` keeps its input in memory, because it contains no end of a line.
    let hungry = shell("exec tail /dev/zero");
    let mut sandbox = start(&hungry, &base, "a");
    let ended = sandbox.exchange(RequestKind::Invoke, b"{}", deadline_ns, &mut Vec::new());
    assert!(matches!(ended, Err(InvokeError::OutOfMemory(_))), "{ended:?}");

    let crash = shell("echo something went wrong >&2; kill -SEGV $$");
    let mut sandbox = start(&crash, &base, "b");
    let ended = sandbox.exchange(RequestKind::Invoke, b"{}", deadline_ns, &mut Vec::new());
    let Err(InvokeError::Trap(message)) = ended else { panic!("{ended:?}") };
    assert!(message.contains("SIGSEGV") && message.contains("something went wrong"), "{message}");
}

#[test]
fn an_evacuated_folder_is_gone_with_its_processes() {
    let folder = Folder::new("evacuated");
    let base = folder.base();
    let group = Group::create(&base, "child", &Limits::default()).unwrap();
    let attach = group.attach().unwrap();
    let child = spawn(&shell("read line"), &attach, 2, Orphan::Killed).unwrap();
    // As after `kill -9`: the group is not dropped.
    std::mem::forget(group);
    assert!(!folder.paths().is_empty());
    cgroup::evacuate(&folder.0);
    let status = waitpid(child.pid, None).unwrap();
    assert!(matches!(status, nix::sys::wait::WaitStatus::Signaled(_, Signal::SIGKILL, _)));
    assert_eq!(folder.paths(), Vec::<std::path::PathBuf>::new());
}
