//! The machine and its settings: `fingerprint` in a run's `manifest.json`.

use serde::{Deserialize, Serialize};

/// The machine, its settings, and the version of `lumos`. Unreadable values are absent. The
/// versions of the runtimes come from their hosts and are elsewhere in the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fingerprint {
    /// The architecture that `lumos` was compiled for, such as `aarch64`.
    pub architecture: String,
    /// Model name of the CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_model: Option<String>,
    /// The board, such as `Raspberry Pi 5 Model B Rev 1.0` (/proc/device-tree/model).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<String>,
    /// Number of cores that are online.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    /// Whether simultaneous multithreading is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smt: Option<bool>,
    /// The clock settings of the cores; empty if the machine does not report them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<CoreClock>,
    /// Total memory of the kernel (`MemTotal`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Active swap space; 0 if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_bytes: Option<u64>,
    /// Release of the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// Name and version of the distribution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Evidence of a virtual machine; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtualisation: Option<String>,
    /// `kernel.randomize_va_space`: 0 off, 1 without the heap, 2 full (sysctl/kernel.rst).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aslr: Option<u8>,
    /// `always`, `madvise` or `never` (admin-guide/mm/transhuge.rst).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transparent_hugepages: Option<String>,
    /// The clock source of the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_source: Option<String>,
    /// How late the kernel may wake `lumos` from a sleep, in nanoseconds (`PR_SET_TIMERSLACK`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer_slack_ns: Option<u64>,
    /// How control groups are mounted; absent if they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup_mode: Option<CgroupMode>,
    /// Available cgroup controllers, by their names in that version.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cgroup_controllers: Vec<String>,
    /// Version of `lumos`.
    pub lumos: String,
    /// The compiler that built `lumos`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rustc: Option<String>,
    /// The git checkout around the working directory of `lumos`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<GitState>,
}

impl Fingerprint {
    /// Model, cores, architecture and kernel, in one line of text.
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

    /// The distinct governors of the cores.
    pub fn governors(&self) -> Vec<&str> {
        let governors = self.clocks.iter().filter_map(|clock| clock.governor.as_deref());
        governors.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }
}

crate::words! {
    /// How a machine mounts control groups.
    CgroupMode, "cgroup mode" {
        /// Version 1 only.
        V1 = "v1",
        /// Version 2 only.
        V2 = "v2",
        /// Controllers on version 1, and a version 2 mount without controllers.
        Hybrid = "hybrid",
    }
}

/// The clock settings of one core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreClock {
    /// Number of the core.
    pub core: u32,
    /// The frequency governor: `performance`, `ondemand`, `schedutil` ..
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// Lowest frequency that the governor may choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_khz: Option<u64>,
    /// Highest frequency that the governor may choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_khz: Option<u64>,
    /// The last requested frequency. The firmware of a Raspberry Pi may set a lower one without
    /// showing it here: see [`Throttled`](crate::health::Throttled).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_khz: Option<u64>,
}

/// The state of a git checkout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitState {
    /// The checked-out commit.
    pub commit: String,
    /// Whether tracked files differ from the commit.
    pub dirty: bool,
}
