//! What the machine is and how it is set: `fingerprint` in a run's `manifest.json`.

use serde::{Deserialize, Serialize};

use super::cpufreq::{self, CoreClock};
use super::git::{self, GitState};
use super::{Root, parse, virtualisation};

/// The machine, its settings, and the `lumos` that measured. What cannot be read is
/// absent. The runtimes' versions stand beside it in the manifest: their hosts tell them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fingerprint {
    /// The architecture that `lumos` was built for, such as `aarch64`.
    pub architecture: String,
    /// The CPU's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_model: Option<String>,
    /// The board, such as `Raspberry Pi 5 Model B Rev 1.0` (/proc/device-tree/model).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<String>,
    /// Cores that are online.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    /// Whether cores share their units (simultaneous multithreading).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smt: Option<bool>,
    /// The cores' clocks; empty where the machine does not tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<CoreClock>,
    /// Memory that the kernel has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Swap space that is on; 0: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_bytes: Option<u64>,
    /// The kernel's release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// The system's name and version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// What betrays a virtual machine; absent: nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtualisation: Option<String>,
    /// `kernel.randomize_va_space`: 0 none, 1 without the heap, 2 all (sysctl/kernel.rst).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aslr: Option<u8>,
    /// `always`, `madvise` or `never` (admin-guide/mm/transhuge.rst).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transparent_hugepages: Option<String>,
    /// What the kernel's clock reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_source: Option<String>,
    /// How late the kernel may end a sleep of `lumos`, in nanoseconds (`PR_SET_TIMERSLACK`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer_slack_ns: Option<u64>,
    /// How control groups are mounted: `v1`, `v2` or `hybrid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup_mode: Option<String>,
    /// Controllers that can be used, by the names of that version.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cgroup_controllers: Vec<String>,
    /// Version of `lumos`.
    pub lumos: String,
    /// The compiler that built `lumos`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rustc: Option<String>,
    /// The checkout that `lumos` was started in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<GitState>,
}

impl Fingerprint {
    /// Reads it; takes some milliseconds, most of them `git`'s.
    pub fn read(root: &Root) -> Self {
        let cpuinfo = root.text("proc/cpuinfo").unwrap_or_default();
        let meminfo = root.text("proc/meminfo").unwrap_or_default();
        let cgroup_mode = root.text("proc/self/mounts").as_deref().and_then(parse::cgroup_mode);
        Self {
            architecture: std::env::consts::ARCH.to_owned(),
            cpu_model: parse::cpu_model(&cpuinfo),
            board: root.text("proc/device-tree/model"),
            cores: parse::cores(&cpuinfo),
            smt: root.number::<u8>("sys/devices/system/cpu/smt/active").map(|active| active == 1),
            clocks: cpufreq::read(root),
            memory_bytes: parse::meminfo_bytes(&meminfo, "MemTotal"),
            swap_bytes: parse::meminfo_bytes(&meminfo, "SwapTotal"),
            kernel: root.text("proc/sys/kernel/osrelease"),
            os: root.text("etc/os-release").as_deref().and_then(parse::os_name),
            virtualisation: virtualisation::hint(root, &cpuinfo),
            aslr: root.number("proc/sys/kernel/randomize_va_space"),
            transparent_hugepages: root
                .text("sys/kernel/mm/transparent_hugepage/enabled")
                .as_deref()
                .and_then(parse::chosen),
            clock_source: root
                .text("sys/devices/system/clocksource/clocksource0/current_clocksource"),
            timer_slack_ns: root.number("proc/self/timerslack_ns"),
            cgroup_mode: cgroup_mode.map(str::to_owned),
            cgroup_controllers: controllers(root, cgroup_mode),
            lumos: env!("CARGO_PKG_VERSION").to_owned(),
            rustc: option_env!("LUMOS_RUSTC").map(str::to_owned),
            git: git::read(),
        }
    }

    /// Model, cores, architecture and kernel in one line.
    pub fn line(&self) -> String {
        let model = self.board.as_ref().or(self.cpu_model.as_ref());
        let cores = self.cores.map_or("unknown".to_owned(), |cores| cores.to_string());
        format!(
            "{}, {cores} cores, {}, Linux {}",
            model.map_or("unknown CPU", String::as_str),
            self.architecture,
            self.kernel.as_deref().unwrap_or("of unknown version")
        )
    }

    /// The governors of the cores, without doubles.
    pub fn governors(&self) -> Vec<&str> {
        let governors = self.clocks.iter().filter_map(|clock| clock.governor.as_deref());
        governors.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }
}

fn controllers(root: &Root, mode: Option<&str>) -> Vec<String> {
    match mode {
        Some("v2") => {
            let names = root.text("sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
            names.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect()
        }
        Some(_) => parse::v1_controllers(&root.text("proc/cgroups").unwrap_or_default()),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::pi5;

    #[test]
    fn a_pi_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let print = Fingerprint::read(&pi5(folder.path()));
        assert_eq!(print.board.as_deref(), Some("Raspberry Pi 5 Model B Rev 1.0"));
        assert_eq!(print.cpu_model.as_deref(), Some("Cortex-A76"));
        assert_eq!((print.cores, print.clocks.len()), (Some(2), 2));
        let clock = CoreClock {
            core: 1,
            governor: Some("ondemand".into()),
            min_khz: Some(1_500_000),
            max_khz: Some(2_400_000),
            current_khz: Some(2_400_000),
        };
        assert_eq!((&print.clocks[1], print.governors()), (&clock, vec!["ondemand"]));
        assert_eq!(print.swap_bytes, Some(536_870_912));
        assert_eq!(print.cgroup_mode.as_deref(), Some("v2"));
        assert_eq!(print.cgroup_controllers, ["cpuset", "cpu", "io", "pids"]);
        assert_eq!((print.smt, print.virtualisation.as_deref()), (None, None));
        let json = serde_json::to_string(&print).unwrap();
        assert!(!json.contains("null") && !json.contains("smt"), "{json}");
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), print);
    }

    #[test]
    fn nothing_is_made_up() {
        let folder = tempfile::tempdir().unwrap();
        let print = Fingerprint::read(&Root::at(folder.path()));
        assert_eq!((print.memory_bytes, print.cores, print.aslr), (None, None, None));
        assert!(print.clocks.is_empty() && print.line().starts_with("unknown CPU, unknown cores"));
        assert!(print.rustc.is_some_and(|rustc| rustc.starts_with("rustc ")));
    }
}
