//! The state of the machine before and after a block.
//!
//! A [`Probe`] reads a [`Health`] before the block's host starts and after it has exited: a dozen
//! small files, in less than 1 ms. [`Health::between`] turns the two readings into the block's
//! [`BlockHealth`], whose limits decide whether the block's rows are tainted.

use std::time::{Duration, Instant};

use lumos_model::health::{BlockHealth, Throttled};

use super::parse::{self, CpuTicks, LoadAverage};
use super::root::Root;
use super::{cpufreq, throttle};

/// The state of the machine at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    at: Instant,
    cores: u32,
    ticks: Option<CpuTicks>,
    load: Option<LoadAverage>,
    pressure_us: Option<u64>,
    throttled: Option<Throttled>,
    temperature_c: Option<f64>,
    frequency_khz: Option<u64>,
    governor: Option<String>,
}

/// Reads [`Health`] from files whose paths are looked up once.
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
    /// Looks up the files that this machine has.
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

    /// Reads the current state.
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
            load: text("proc/loadavg").as_deref().and_then(parse::load_average),
            pressure_us: text("proc/pressure/cpu").as_deref().and_then(parse::pressure_some_us),
            throttled: self.throttled.as_deref().and_then(|file| root.number(file)),
            temperature_c: highest(&self.thermal).map(|milli| milli as f64 / 1e3),
            frequency_khz: highest(&self.frequency),
            governor: self.governor.as_deref().and_then(|file| root.text(file)),
        }
    }
}

/// The temperature files of the CPU's thermal zones, or of the first zone if none is the CPU's.
/// Unit: millidegrees Celsius (Documentation/driver-api/thermal).
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
    /// The state of the machine between two readings.
    pub fn between(before: &Health, after: &Health) -> BlockHealth {
        let wall = after.at.saturating_duration_since(before.at);
        let ticks = before.ticks.zip(after.ticks).map(|(b, a)| CpuTicks {
            busy: a.busy.saturating_sub(b.busy),
            idle: a.idle.saturating_sub(b.idle),
            steal: a.steal.saturating_sub(b.steal),
        });
        let loads = [before, after].map(|health| health.load);
        let others = loads.iter().flatten().map(|load| load.runnable.saturating_sub(1)).max();
        BlockHealth {
            cores: after.cores,
            stolen_ticks: ticks.map(|ticks| ticks.steal),
            steal_share: ticks.map(steal_share),
            load_1m: after.load.map(|load| load.one_minute),
            others_runnable: others,
            cpu_pressure_share: share(before.pressure_us.zip(after.pressure_us), wall),
            temperature_c: [before, after].iter().filter_map(|h| h.temperature_c).reduce(f64::max),
            governor: after.governor.clone(),
            frequency_before_khz: before.frequency_khz,
            frequency_khz: after.frequency_khz,
            throttled_before: before.throttled,
            throttled_bits: after.throttled,
        }
    }

    /// Steal since boot, as a share of the CPU time that the machine demanded.
    pub fn steal_share(&self) -> Option<f64> {
        self.ticks.map(steal_share)
    }

    /// One-minute load average.
    pub fn load_1m(&self) -> Option<f64> {
        self.load.map(|load| load.one_minute)
    }

    /// Temperature of the CPU, in degrees Celsius.
    pub fn temperature_c(&self) -> Option<f64> {
        self.temperature_c
    }

    /// Throttle bits of a Raspberry Pi.
    pub fn throttled(&self) -> Option<Throttled> {
        self.throttled
    }
}

/// Idle time is left out, because the hypervisor can only steal time that the machine demands.
fn steal_share(ticks: CpuTicks) -> f64 {
    ticks.steal as f64 / (ticks.busy + ticks.steal).max(1) as f64
}

fn share(us: Option<(u64, u64)>, wall: Duration) -> Option<f64> {
    let (before, after) = us?;
    let share = after.saturating_sub(before) as f64 / wall.as_micros() as f64;
    share.is_finite().then_some(share.min(1.0))
}

#[cfg(test)]
mod tests {
    use lumos_model::row::Taint;

    use super::*;
    use crate::machine::fixture::{pi5, write};

    #[test]
    fn an_undisturbed_block_is_not_tainted() {
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
    fn each_disturbance_is_a_taint() {
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
    fn unreported_values_are_absent() {
        let folder = tempfile::tempdir().unwrap();
        let probe = Probe::new(Root::at(folder.path()));
        let health = Health::between(&probe.read(), &probe.read());
        assert_eq!(health, BlockHealth { cores: 1, ..Default::default() });
        assert_eq!(serde_json::to_string(&health).unwrap(), r#"{"cores":1}"#);
    }
}
