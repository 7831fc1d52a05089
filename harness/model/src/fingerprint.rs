//! What the machine is and how it is set: `fingerprint` in a run's `manifest.json`.

use serde::{Deserialize, Serialize};

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

/// The clock of one core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreClock {
    /// Number of the core.
    pub core: u32,
    /// What chooses the clock: `performance`, `ondemand`, `schedutil` ..
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// The lowest clock that the governor may choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_khz: Option<u64>,
    /// The highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_khz: Option<u64>,
    /// The one asked for last. A Raspberry Pi's firmware may give less and not say so
    /// here: see [`Throttled`](crate::health::Throttled).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_khz: Option<u64>,
}

/// A checkout's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitState {
    /// The commit that is checked out.
    pub commit: String,
    /// Whether files that git knows differ from it.
    pub dirty: bool,
}
