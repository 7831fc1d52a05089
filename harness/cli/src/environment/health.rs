//! How the machine was doing while a block was measured.
//!
//! A [`Probe`] takes a [`Health`] before the block's host starts and after it has ended:
//! a dozen small files, together below 1 ms. Their difference is the block's
//! [`BlockHealth`], and what passes a limit below taints the block's rows.

use std::time::{Duration, Instant};

use lumos_model::row::Taint;
use serde::{Deserialize, Serialize};

use super::parse::{self, CpuTicks, Load};
use super::{Root, Throttled, cpufreq, throttle};

/// Steal taints above this share of the CPU time that the machine wanted. Ratios of medians
/// within 1 % are called equivalent, and the share hits single samples harder than medians:
/// 2 % in all can still move them by more than that.
pub const MOST_STEAL: f64 = 0.02;

/// Fewer stolen ticks than this prove nothing: the kernel counts in steps of 10 ms, so the
/// first one may have been stolen before the block.
const FEWEST_STOLEN_TICKS: u64 = 2;

/// A clock that is set to stay taints when it fell by more than this share.
pub const MOST_FALL: f64 = 0.1;

/// Governors that leave the clock where it is (admin-guide/pm/cpufreq.rst). Under the others
/// the clock at a block's edges says only whether the machine was idle there.
pub(crate) const STEADY_GOVERNORS: [&str; 2] = ["performance", "userspace"];

/// The machine at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    at: Instant,
    cores: u32,
    ticks: Option<CpuTicks>,
    load: Option<Load>,
    pressure_us: Option<u64>,
    throttled: Option<Throttled>,
    temperature_c: Option<f64>,
    frequency_khz: Option<u64>,
    governor: Option<String>,
}

/// Reads [`Health`]. Where its files are is looked up once.
#[derive(Clone, Debug)]
pub struct Probe {
    root: Root,
    cores: u32,
    thermal: Vec<String>,
    frequency: Vec<String>,
    governor: Option<String>,
    throttled: Option<String>,
}

impl Probe {
    /// Looks up what this machine has.
    pub fn new(root: Root) -> Self {
        let clocks = cpufreq::cores(&root);
        let cores = root.text("proc/cpuinfo").as_deref().and_then(parse::cores);
        Self {
            cores: cores.unwrap_or(1),
            thermal: thermal_zones(&root),
            frequency: clocks.iter().map(|c| cpufreq::file(*c, "scaling_cur_freq")).collect(),
            governor: clocks.first().map(|core| cpufreq::file(*core, "scaling_governor")),
            throttled: throttle::file(&root),
            root,
        }
    }

    /// Reads the machine's health now.
    pub fn read(&self) -> Health {
        let root = &self.root;
        let text = |file: &str| root.text(file);
        let highest = |files: &[String]| -> Option<u64> {
            files.iter().filter_map(|file| root.number(file)).max()
        };
        Health {
            at: Instant::now(),
            cores: self.cores,
            ticks: text("proc/stat").as_deref().and_then(parse::cpu_ticks),
            load: text("proc/loadavg").as_deref().and_then(parse::load),
            pressure_us: text("proc/pressure/cpu").as_deref().and_then(parse::pressure_some_us),
            throttled: self.throttled.as_deref().and_then(|file| root.number(file)),
            temperature_c: highest(&self.thermal).map(|milli| milli as f64 / 1e3),
            frequency_khz: highest(&self.frequency),
            governor: self.governor.as_deref().and_then(|file| root.text(file)),
        }
    }
}

/// The files of the zones that are the CPU's (Documentation/driver-api/thermal: millidegrees
/// Celsius), or else of the first zone.
fn thermal_zones(root: &Root) -> Vec<String> {
    const THERMAL: &str = "sys/class/thermal";
    let is_zone = |name: &String| name.starts_with("thermal_zone");
    let zones: Vec<String> = root.names(THERMAL).into_iter().filter(is_zone).collect();
    let is_cpu = |zone: &&String| {
        let kind = root.text(&format!("{THERMAL}/{zone}/type")).unwrap_or_default();
        ["cpu", "pkg", "soc"].iter().any(|part| kind.to_lowercase().contains(part))
    };
    let mut chosen: Vec<&String> = zones.iter().filter(is_cpu).collect();
    if chosen.is_empty() {
        chosen.extend(zones.first());
    }
    chosen.into_iter().map(|zone| format!("{THERMAL}/{zone}/temp")).collect()
}

impl Health {
    /// What happened between two moments.
    pub fn between(before: &Health, after: &Health) -> BlockHealth {
        let wall = after.at.saturating_duration_since(before.at);
        let ticks = before.ticks.zip(after.ticks).map(|(b, a)| CpuTicks {
            busy: a.busy.saturating_sub(b.busy),
            idle: a.idle.saturating_sub(b.idle),
            steal: a.steal.saturating_sub(b.steal),
        });
        let loads = [before, after].map(|health| health.load);
        let queue = loads.iter().flatten().map(|load| load.runnable.saturating_sub(1)).max();
        BlockHealth {
            cores: after.cores,
            stolen_ticks: ticks.map(|ticks| ticks.steal),
            steal_share: ticks.map(steal_share),
            load_1m: after.load.map(|load| load.one_minute),
            others_runnable: queue,
            cpu_pressure_share: share(before.pressure_us.zip(after.pressure_us), wall),
            temperature_c: [before, after].iter().filter_map(|h| h.temperature_c).reduce(f64::max),
            governor: after.governor.clone(),
            frequency_before_khz: before.frequency_khz,
            frequency_khz: after.frequency_khz,
            throttled_before: before.throttled,
            throttled_bits: after.throttled,
        }
    }

    /// Steal since the machine was started, as a share of the CPU time that it wanted.
    pub fn steal_share(&self) -> Option<f64> {
        self.ticks.map(steal_share)
    }

    /// Mean of tasks that ran or waited in the last minute.
    pub fn load_1m(&self) -> Option<f64> {
        self.load.map(|load| load.one_minute)
    }

    /// The temperature of the CPU, in degrees Celsius.
    pub fn temperature_c(&self) -> Option<f64> {
        self.temperature_c
    }

    /// What the firmware of a Raspberry Pi says.
    pub fn throttled(&self) -> Option<Throttled> {
        self.throttled
    }
}

/// Idle time is left out: who wants nothing can be robbed of nothing.
fn steal_share(ticks: CpuTicks) -> f64 {
    ticks.steal as f64 / (ticks.busy + ticks.steal).max(1) as f64
}

fn share(us: Option<(u64, u64)>, wall: Duration) -> Option<f64> {
    let (before, after) = us?;
    let share = after.saturating_sub(before) as f64 / wall.as_micros() as f64;
    share.is_finite().then_some(share.min(1.0))
}

/// A block's health, in `telemetry.jsonl`. What the machine does not tell is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockHealth {
    /// Cores of the machine.
    pub cores: u32,
    /// CPU time that the hypervisor gave to others, in ticks of 10 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stolen_ticks: Option<u64>,
    /// The same as a share of the CPU time that this machine wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steal_share: Option<f64>,
    /// Load average of one minute after the block; it includes the block's own work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_1m: Option<f64>,
    /// Tasks beside `lumos` that ran or waited for a core at the block's edges, when the
    /// block itself does not run: the larger of both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others_runnable: Option<u32>,
    /// Share of the block's time in which some task waited for a core (PSI `some`); the
    /// block's own processes count, so that it is no taint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_pressure_share: Option<f64>,
    /// Temperature of the CPU at the warmer edge, in degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<f64>,
    /// What chooses the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// Clock of the fastest core before the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_before_khz: Option<u64>,
    /// Clock of the fastest core after the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_khz: Option<u64>,
    /// Throttle bits before the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttled_before: Option<Throttled>,
    /// Throttle bits after the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttled_bits: Option<Throttled>,
}

impl BlockHealth {
    /// What passed its limit.
    pub fn taints(&self) -> Vec<Taint> {
        let signs = [
            (Taint::Throttled, self.is_throttled()),
            (Taint::Steal, self.is_robbed()),
            (Taint::Load, self.is_crowded()),
            (Taint::Frequency, self.is_slowed()),
        ];
        signs.into_iter().filter(|(_, is_so)| *is_so).map(|(taint, _)| taint).collect()
    }

    /// A bit for "now" at either edge, or a bit for "has occurred" that is new. When such a
    /// bit stood at both edges, the file does not tell whether it occurred again.
    fn is_throttled(&self) -> bool {
        let edges = [self.throttled_before, self.throttled_bits];
        let is_new = self.throttled_before.zip(self.throttled_bits);
        edges.iter().flatten().any(|bits| bits.is_now())
            || is_new.is_some_and(|(before, after)| after.is_new_since(before))
    }

    fn is_robbed(&self) -> bool {
        self.steal_share.is_some_and(|share| share > MOST_STEAL)
            && self.stolen_ticks.is_some_and(|ticks| ticks >= FEWEST_STOLEN_TICKS)
    }

    /// As many others as cores: with the block's process, the run queue is longer than the
    /// machine is wide.
    fn is_crowded(&self) -> bool {
        self.others_runnable.is_some_and(|others| others >= self.cores.max(1))
    }

    fn is_slowed(&self) -> bool {
        let is_steady = |governor: &String| STEADY_GOVERNORS.contains(&governor.as_str());
        let edges = self.frequency_before_khz.zip(self.frequency_khz);
        self.governor.as_ref().is_some_and(is_steady)
            && edges
                .is_some_and(|(before, after)| (after as f64) < before as f64 * (1.0 - MOST_FALL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::{pi5, write};

    #[test]
    fn a_quiet_block_of_a_pi_is_not_tainted() {
        let folder = tempfile::tempdir().unwrap();
        let root = pi5(folder.path());
        let probe = Probe::new(root.clone());
        let before = probe.read();
        write(&root, "proc/stat", "cpu  1100 0 500 9100 100 0 10 0 0 0\n");
        write(&root, "sys/class/thermal/thermal_zone0/temp", "51000\n");
        let health = Health::between(&before, &probe.read());
        assert_eq!((health.steal_share, health.stolen_ticks), (Some(0.0), Some(0)));
        assert_eq!((health.temperature_c, health.cores), (Some(51.0), 2));
        assert_eq!(health.frequency_khz, Some(2_400_000));
        assert_eq!(health.throttled_bits, Some(Throttled(0)));
        assert_eq!((health.others_runnable, health.load_1m), (Some(0), Some(0.1)));
        assert_eq!(health.taints(), []);
        let json = serde_json::to_string(&health).unwrap();
        assert_eq!(serde_json::from_str::<BlockHealth>(&json).unwrap(), health);
    }

    #[test]
    fn each_disturbance_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let root = pi5(folder.path());
        for core in 0..2 {
            let governor = format!("sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor");
            write(&root, &governor, "performance\n");
        }
        let probe = Probe::new(root.clone());
        let before = probe.read();
        write(&root, "proc/stat", "cpu  1090 0 500 9100 100 0 10 10 0 0\n");
        write(&root, "proc/loadavg", "2.60 1.05 0.01 3/180 900\n");
        write(&root, "sys/devices/platform/soc/soc:firmware/get_throttled", "50000\n");
        for core in 0..2 {
            let clock = format!("sys/devices/system/cpu/cpu{core}/cpufreq/scaling_cur_freq");
            write(&root, &clock, "1500000\n");
        }
        let health = Health::between(&before, &probe.read());
        assert_eq!(health.steal_share, Some(0.1));
        assert_eq!(health.taints(), Taint::ALL);
    }

    #[test]
    fn what_is_no_proof_does_not_taint() {
        let one_tick =
            BlockHealth { stolen_ticks: Some(1), steal_share: Some(0.2), ..Default::default() };
        assert_eq!(one_tick.taints(), []);
        let fell = BlockHealth {
            frequency_before_khz: Some(2_400_000),
            frequency_khz: Some(1_500_000),
            governor: Some("ondemand".to_owned()),
            ..Default::default()
        };
        assert_eq!(fell.taints(), []);
        let old = Some(Throttled(0x50000));
        let before =
            BlockHealth { throttled_before: old, throttled_bits: old, ..Default::default() };
        assert_eq!(before.taints(), []);
    }

    #[test]
    fn a_machine_that_tells_nothing_gives_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let probe = Probe::new(Root::at(folder.path()));
        let health = Health::between(&probe.read(), &probe.read());
        assert_eq!(health, BlockHealth { cores: 1, ..Default::default() });
        assert_eq!(serde_json::to_string(&health).unwrap(), r#"{"cores":1}"#);
    }
}
