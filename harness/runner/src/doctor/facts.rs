//! What the checks decide on, read at once: the decisions themselves are pure.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lumos_model::fingerprint::Fingerprint;
use lumos_model::health::Throttled;
use lumos_os::cgroup::{self, Base};
use lumos_os::command::answer_within;
use lumos_os::machine::{Probe, Root, fingerprint};
use lumos_scenario::hosts::{self, Host};

use super::freshness;
use crate::discovery;

/// How long `vcgencmd` may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// All that is looked at.
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
    /// The hosts beside `lumos`.
    pub hosts: Vec<Host>,
    /// Shipped runtimes without a host.
    pub absent: Vec<String>,
    /// The functions as built, or why they cannot be used.
    pub artifacts: Result<Built, String>,
    /// Whether `redis-server` is installed.
    pub has_redis: bool,
    /// Whether this user may make control groups; if not, why.
    pub cgroups: Result<(), String>,
    /// Room in the folder that runs are written to, in bytes.
    pub free_bytes: Option<u64>,
}

/// The functions as built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// How many artifacts there are.
    pub artifacts: usize,
    /// Artifacts that are not what the build made, with the reason.
    pub damaged: Vec<String>,
    /// A source that changed after the build.
    pub newer_source: Option<PathBuf>,
}

/// The machine and how it is doing.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// What it is and how it is set.
    pub fingerprint: Fingerprint,
    /// Power and heat since the boot, by the firmware of a Raspberry Pi.
    pub throttled: Option<Throttled>,
    /// Temperature of the CPU in degrees Celsius.
    pub temperature_c: Option<f64>,
    /// Mean of tasks that ran or waited in the last minute.
    pub load_1m: Option<f64>,
    /// Share of the wanted CPU time that the hypervisor took, since the boot.
    pub steal_share: Option<f64>,
    /// Whether the kernel offers hardware counters.
    pub has_hardware_counters: bool,
}

impl Facts {
    /// Reads them; takes some hundred milliseconds, since artifacts are hashed and hosts
    /// asked. `artifacts` is their folder.
    ///
    /// # Errors
    /// When the folder of this executable cannot be read.
    pub fn read(artifacts: &Path) -> std::io::Result<Self> {
        let hosts = discovery::discover()?;
        let absent = hosts::absent_runtimes(&hosts);
        Ok(Self {
            software: Software {
                absent: absent.into_iter().map(|(name, _)| name.to_owned()).collect(),
                hosts,
                artifacts: freshness::read(artifacts, Path::new("functions")),
                has_redis: has_program("redis-server"),
                cgroups: may_make_groups(),
                free_bytes: free_bytes(&std::env::current_dir()?),
            },
            machine: Machine::read(&Root::system()),
        })
    }
}

impl Machine {
    /// Reads it; takes some milliseconds.
    pub fn read(root: &Root) -> Self {
        let health = Probe::new(root.clone()).read();
        let counters = root.names("sys/bus/event_source/devices");
        Self {
            fingerprint: fingerprint::read(root),
            throttled: since_boot().or(health.throttled()),
            temperature_c: health.temperature_c(),
            load_1m: health.load_1m(),
            steal_share: health.steal_share(),
            // `cpu`, `cpu_core`, `armv8_cortex_a76`: one for each kind of core.
            has_hardware_counters: counters
                .iter()
                .any(|name| name.starts_with("cpu") || name.starts_with("armv")),
        }
    }
}

/// What `vcgencmd` says; only it remembers all since the boot.
fn since_boot() -> Option<Throttled> {
    let answer = answer_within(Command::new("vcgencmd").arg("get_throttled"), PATIENCE).ok()?;
    String::from_utf8(answer).ok()?.parse().ok()
}

/// Tries it, since rights and delegation are the kernel's to judge.
fn may_make_groups() -> Result<(), String> {
    let path = format!("{}/doctor-{}", cgroup::ROOT, std::process::id());
    let made = Base::create(&path).map(drop).map_err(|error| error.to_string());
    cgroup::evacuate(&path);
    made
}

fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// Room in `results` below `folder`, or where it will be made.
fn free_bytes(folder: &Path) -> Option<u64> {
    let results = folder.join("results");
    let place = if results.is_dir() { results } else { folder.to_owned() };
    let stat = nix::sys::statvfs::statvfs(&place).ok()?;
    Some(stat.blocks_available().saturating_mul(stat.fragment_size()))
}
