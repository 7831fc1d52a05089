//! The facts that the checks judge. They are read first, so that the checks are pure.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lumos_model::fingerprint::Fingerprint;
use lumos_model::health::Throttled;
use lumos_os::cgroup::{self, Base};
use lumos_os::command::answer_within;
use lumos_os::machine::{Probe, Root, fingerprint};
use lumos_scenario::hosts::{self, Host};

use super::freshness::Built;
use crate::hosts::discover;
use crate::programs::find_program;

/// How long `vcgencmd` may take.
const VCGENCMD_TIMEOUT: Duration = Duration::from_secs(1);

/// All facts.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What is installed and built.
    pub software: Software,
    /// The machine.
    pub machine: Machine,
}

/// What is installed and built.
#[derive(Clone, Debug)]
pub struct Software {
    /// The hosts next to `lumos`.
    pub hosts: Vec<Host>,
    /// Runtimes that lumos ships and that have no host here.
    pub absent: Vec<String>,
    /// The functions as built, or why they cannot be used.
    pub artifacts: Result<Built, String>,
    /// Whether `redis-server` is installed.
    pub has_redis: bool,
    /// Whether this user may create control groups; if not, why.
    pub cgroups: Result<(), String>,
    /// Free bytes in the folder to which runs are written.
    pub free_bytes: Option<u64>,
}

/// The machine and its state.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// What it is, and its settings.
    pub fingerprint: Fingerprint,
    /// Power and heat since the boot, from the firmware of a Raspberry Pi.
    pub throttled: Option<Throttled>,
    /// Temperature of the CPU in degrees Celsius.
    pub temperature_c: Option<f64>,
    /// Load average of the last minute: tasks that ran or waited for a core.
    pub load_1m: Option<f64>,
    /// Share of the demanded CPU time that the hypervisor took since the boot.
    pub steal_share: Option<f64>,
    /// Whether the kernel offers hardware counters.
    pub has_hardware_counters: bool,
}

impl Facts {
    /// Reads all facts. Takes some hundred milliseconds, because it hashes the artifacts in the
    /// folder `artifacts` and asks each host for its capabilities.
    ///
    /// # Errors
    /// When the folder of this executable cannot be read.
    pub fn read(artifacts: &Path) -> std::io::Result<Self> {
        let hosts = discover()?;
        let absent = hosts::absent_runtimes(&hosts);
        Ok(Self {
            software: Software {
                absent: absent.into_iter().map(|(name, _)| name.to_owned()).collect(),
                hosts,
                artifacts: Built::read(artifacts, Path::new("functions")),
                has_redis: find_program("redis-server").is_some(),
                cgroups: try_control_groups(),
                free_bytes: free_bytes(&std::env::current_dir()?),
            },
            machine: Machine::read(&Root::system()),
        })
    }
}

impl Machine {
    /// Reads the state of the machine; takes some milliseconds.
    pub fn read(root: &Root) -> Self {
        let health = Probe::new(root.clone()).read();
        let counters = root.names("sys/bus/event_source/devices");
        Self {
            fingerprint: fingerprint::read(root),
            throttled: throttled_since_boot().or(health.throttled()),
            temperature_c: health.temperature_c(),
            load_1m: health.load_1m(),
            steal_share: health.steal_share(),
            // `cpu`, `cpu_core`, `armv8_cortex_a76`: one per kind of core.
            has_hardware_counters: counters
                .iter()
                .any(|name| name.starts_with("cpu") || name.starts_with("armv")),
        }
    }
}

/// The bits of `vcgencmd get_throttled`, which cover the time since the boot.
fn throttled_since_boot() -> Option<Throttled> {
    let answer =
        answer_within(Command::new("vcgencmd").arg("get_throttled"), VCGENCMD_TIMEOUT).ok()?;
    String::from_utf8(answer).ok()?.parse().ok()
}

/// Creates a control group: only the kernel knows the effect of permissions and delegation.
fn try_control_groups() -> Result<(), String> {
    let path = format!("{}/doctor-{}", cgroup::ROOT, std::process::id());
    let made = Base::create(&path).map(drop).map_err(|error| error.to_string());
    cgroup::evacuate(&path);
    made
}

/// Free bytes in `results` below `folder`, or in `folder` as long as it has no `results`.
fn free_bytes(folder: &Path) -> Option<u64> {
    let results = folder.join("results");
    let place = if results.is_dir() { results } else { folder.to_owned() };
    let stat = nix::sys::statvfs::statvfs(&place).ok()?;
    Some(stat.blocks_available().saturating_mul(stat.fragment_size()))
}
