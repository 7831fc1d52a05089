//! Reads the machine and its settings: `fingerprint` in a run's `manifest.json`.

use lumos_model::fingerprint::{CgroupMode, Fingerprint};

use super::root::Root;
use super::{cpufreq, git, parse, virtualisation};

/// Reads the fingerprint. It takes a few milliseconds, most of them in `git`.
pub fn read(root: &Root) -> Fingerprint {
    let cpuinfo = root.text("proc/cpuinfo").unwrap_or_default();
    let meminfo = root.text("proc/meminfo").unwrap_or_default();
    let cgroup_mode = root.text("proc/self/mounts").as_deref().and_then(parse::cgroup_mode);
    Fingerprint {
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
        clock_source: root.text("sys/devices/system/clocksource/clocksource0/current_clocksource"),
        timer_slack_ns: root.number("proc/self/timerslack_ns"),
        cgroup_mode,
        cgroup_controllers: controllers(root, cgroup_mode),
        lumos: env!("CARGO_PKG_VERSION").to_owned(),
        rustc: option_env!("LUMOS_RUSTC").map(str::to_owned),
        git: git::read(),
    }
}

fn controllers(root: &Root, mode: Option<CgroupMode>) -> Vec<String> {
    match mode {
        Some(CgroupMode::V2) => {
            let names = root.text("sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
            names.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect()
        }
        Some(CgroupMode::V1 | CgroupMode::Hybrid) => {
            parse::v1_controllers(&root.text("proc/cgroups").unwrap_or_default())
        }
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use lumos_model::fingerprint::CoreClock;

    use super::*;
    use crate::machine::fixture::pi5;

    #[test]
    fn reads_a_raspberry_pi() {
        let folder = tempfile::tempdir().unwrap();
        let print = read(&pi5(folder.path()));
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
        assert_eq!(print.cgroup_mode, Some(CgroupMode::V2));
        assert_eq!(print.cgroup_controllers, ["cpuset", "cpu", "io", "pids"]);
        assert_eq!((print.smt, print.virtualisation.as_deref()), (None, None));
        let json = serde_json::to_string(&print).unwrap();
        assert!(!json.contains("null") && !json.contains("smt"), "{json}");
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), print);
    }

    #[test]
    fn unknown_values_are_absent() {
        let folder = tempfile::tempdir().unwrap();
        let print = read(&Root::at(folder.path()));
        assert_eq!((print.memory_bytes, print.cores, print.aslr), (None, None, None));
        assert!(print.clocks.is_empty() && print.line().starts_with("unknown CPU, unknown cores"));
        assert!(print.rustc.is_some_and(|rustc| rustc.starts_with("rustc ")));
    }
}
