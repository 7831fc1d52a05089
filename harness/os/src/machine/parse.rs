//! Parsers of the kernel's files: pure functions that return `None` for absent values.
//!
//! Formats: `proc_stat(5)`, `proc_cpuinfo(5)`, `proc_meminfo(5)`, `proc_loadavg(5)`,
//! `proc_pid_mounts(5)`, `os-release(5)`, and Documentation/accounting/psi.rst of the kernel.

use lumos_model::fingerprint::CgroupMode;

/// CPU time of the whole machine since boot, in ticks of `USER_HZ` (10 ms).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuTicks {
    /// Used by processes, the kernel and interrupts.
    pub busy: u64,
    /// Idle, or waiting for a disk.
    pub idle: u64,
    /// Demanded by this machine, but given to another one by the hypervisor.
    pub steal: u64,
}

/// Parses the first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal.
/// Guest time, which follows, is part of user and nice.
pub(crate) fn cpu_ticks(stat: &str) -> Option<CpuTicks> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line.split_whitespace().map_while(|word| word.parse().ok()).collect();
    let [user, nice, system, idle, iowait, irq, softirq, steal, ..] = ticks[..] else {
        return None;
    };
    let busy = user + nice + system + irq + softirq;
    Some(CpuTicks { busy, idle: idle + iowait, steal })
}

/// The values of `/proc/loadavg`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LoadAverage {
    /// Mean number of tasks in the last minute that ran, waited for a core or waited for a disk.
    pub one_minute: f64,
    /// Number of tasks that run or wait for a core now, with the task that reads the file.
    pub runnable: u32,
}

/// Parses `/proc/loadavg`: `0.82 1.04 2.48 3/107 10301`.
pub(crate) fn load_average(loadavg: &str) -> Option<LoadAverage> {
    let mut words = loadavg.split_whitespace();
    let one_minute = words.next()?.parse().ok()?;
    let runnable = words.nth(2)?.split_once('/')?.0.parse().ok()?;
    Some(LoadAverage { one_minute, runnable })
}

/// Microseconds during which at least one task waited, from a pressure file (`some`).
pub(crate) fn pressure_some_us(pressure: &str) -> Option<u64> {
    let some = pressure.lines().find(|line| line.starts_with("some "))?;
    some.split_whitespace().find_map(|word| word.strip_prefix("total="))?.parse().ok()
}

/// The value of `key` in `/proc/meminfo`, in bytes.
pub(crate) fn meminfo_bytes(meminfo: &str, key: &str) -> Option<u64> {
    let value = colon_value(meminfo, key)?;
    Some(value.strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// The first value of `key` in a file with lines `key : value`.
fn colon_value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == key).then_some(value.trim())
    })
}

/// The model name of the CPU from `/proc/cpuinfo`: `model name` on x86 and 32-bit ARM. A 64-bit ARM
/// kernel reports numbers only; those of implementer ARM (0x41) are translated.
pub(crate) fn cpu_model(cpuinfo: &str) -> Option<String> {
    if let Some(name) = colon_value(cpuinfo, "model name") {
        return Some(name.to_owned());
    }
    let part = colon_value(cpuinfo, "CPU part")?;
    let implementer = colon_value(cpuinfo, "CPU implementer")?;
    Some(match (implementer, arm_part(part)) {
        ("0x41", Some(name)) => name.to_owned(),
        _ => format!("ARM implementer {implementer} part {part}"),
    })
}

/// Part numbers of common boards and cloud machines (arch/arm64/include/asm/cputype.h).
fn arm_part(part: &str) -> Option<&'static str> {
    Some(match part {
        "0xd03" => "Cortex-A53",
        "0xd05" => "Cortex-A55",
        "0xd07" => "Cortex-A57",
        "0xd08" => "Cortex-A72",
        "0xd0b" => "Cortex-A76",
        "0xd0c" => "Neoverse-N1",
        "0xd40" => "Neoverse-V1",
        "0xd49" => "Neoverse-N2",
        "0xd4f" => "Neoverse-V2",
        _ => return None,
    })
}

/// Number of online cores, from `/proc/cpuinfo`.
pub(crate) fn cores(cpuinfo: &str) -> Option<u32> {
    let processors = cpuinfo
        .lines()
        .filter(|line| line.split_once(':').is_some_and(|(key, _)| key.trim_end() == "processor"));
    u32::try_from(processors.count()).ok().filter(|count| *count > 0)
}

/// Whether the CPU reports a hypervisor (x86: bit 31 of CPUID 1 ECX).
pub(crate) fn has_hypervisor_flag(cpuinfo: &str) -> bool {
    colon_value(cpuinfo, "flags").is_some_and(|flags| flags.split(' ').any(|f| f == "hypervisor"))
}

/// Name and version of the distribution, from `/etc/os-release`.
pub(crate) fn os_name(os_release: &str) -> Option<String> {
    let name = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches(['"', '\'']).to_owned())
}

/// The active word of a setting such as `always [madvise] never`.
pub(crate) fn chosen(setting: &str) -> Option<String> {
    setting
        .split_whitespace()
        .find_map(|word| Some(word.strip_prefix('[')?.strip_suffix(']')?.to_owned()))
}

/// How control groups are mounted, from `/proc/self/mounts`; `None` if they are not.
pub(crate) fn cgroup_mode(mounts: &str) -> Option<CgroupMode> {
    let types = || mounts.lines().filter_map(|line| line.split(' ').nth(2));
    match (types().any(|t| t == "cgroup"), types().any(|t| t == "cgroup2")) {
        (true, true) => Some(CgroupMode::Hybrid),
        (true, false) => Some(CgroupMode::V1),
        (false, true) => Some(CgroupMode::V2),
        (false, false) => None,
    }
}

/// The enabled and mounted version 1 controllers, from `/proc/cgroups`: name, hierarchy (0: not
/// mounted on version 1), number of groups, enabled.
pub(crate) fn v1_controllers(cgroups: &str) -> Vec<String> {
    let name = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [name, hierarchy, _, "1"] if hierarchy != "0" => Some(name.to_owned()),
            _ => None,
        }
    };
    cgroups.lines().filter(|line| !line.starts_with('#')).filter_map(name).collect()
}

/// Major and minor version of a kernel release such as `6.12.34+rpt-rpi-2712`.
pub fn kernel_version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Raspberry Pi 4, 64-bit kernel.
    const PI4_CPUINFO: &str = "\
processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

processor\t: 1
CPU implementer\t: 0x41
CPU part\t: 0xd08

Revision\t: c03114
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
";
    const X86_CPUINFO: &str = "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Processor\n\
                               flags\t\t: fpu sse2 hypervisor lahf_lm\n";

    #[test]
    fn parses_cpuinfo_of_a_pi_and_of_a_virtual_machine() {
        assert_eq!(cpu_model(PI4_CPUINFO).unwrap(), "Cortex-A72");
        assert_eq!(cores(PI4_CPUINFO), Some(2));
        assert!(!has_hypervisor_flag(PI4_CPUINFO));
        let pi5 = PI4_CPUINFO.replace("0xd08", "0xd0b");
        assert_eq!(cpu_model(&pi5).unwrap(), "Cortex-A76");
        let other = PI4_CPUINFO.replace("0x41", "0x61");
        assert_eq!(cpu_model(&other).unwrap(), "ARM implementer 0x61 part 0xd08");
        assert_eq!(cpu_model(X86_CPUINFO).unwrap(), "Intel(R) Xeon(R) Processor");
        assert!(has_hypervisor_flag(X86_CPUINFO));
        assert_eq!((cpu_model(""), cores("")), (None, None));
    }

    #[test]
    fn parses_ticks_load_and_pressure() {
        let stat = "cpu  100 5 40 800 30 1 4 20 7 0\ncpu0 50 2 20 400 15 0 2 10 3 0\nintr 1 2\n";
        assert_eq!(cpu_ticks(stat), Some(CpuTicks { busy: 150, idle: 830, steal: 20 }));
        // Kernels before 2.6.11 do not report steal: absent, not zero.
        assert_eq!(cpu_ticks("cpu  100 5 40 800 30 1 4\n"), None);
        let expected = LoadAverage { one_minute: 0.82, runnable: 3 };
        assert_eq!(load_average("0.82 1.04 2.48 3/107 10301"), Some(expected));
        assert_eq!(load_average("0.82"), None);
        let pressure = "some avg10=0.12 avg60=0.03 avg300=0.00 total=1234567\n\
                        full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(pressure_some_us(pressure), Some(1_234_567));
        assert_eq!(pressure_some_us(""), None);
    }

    #[test]
    fn parses_memory_distribution_and_settings() {
        let meminfo = "MemTotal:        8063232 kB\nSwapTotal:       2097136 kB\n";
        assert_eq!(meminfo_bytes(meminfo, "MemTotal"), Some(8_063_232 * 1024));
        assert_eq!(meminfo_bytes(meminfo, "SwapTotal"), Some(2_097_136 * 1024));
        assert_eq!(meminfo_bytes(meminfo, "MemFree"), None);
        let os = "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nID=debian\n";
        assert_eq!(os_name(os).unwrap(), "Debian GNU/Linux 13 (trixie)");
        assert_eq!(chosen("always [madvise] never").unwrap(), "madvise");
        assert_eq!(chosen("always"), None);
        assert_eq!(kernel_version("6.12.34+rpt-rpi-2712"), Some((6, 12)));
        assert_eq!(kernel_version("5.4"), Some((5, 4)));
        assert_eq!(kernel_version("next"), None);
    }

    #[test]
    fn parses_cgroup_mounts_and_controllers() {
        let v2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\nproc /proc proc rw 0 0\n";
        let v1 = "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n";
        assert_eq!(cgroup_mode(v2), Some(CgroupMode::V2));
        assert_eq!(cgroup_mode(v1), Some(CgroupMode::V1));
        assert_eq!(cgroup_mode(&format!("{v1}{v2}")), Some(CgroupMode::Hybrid));
        assert_eq!(cgroup_mode("proc /proc proc rw 0 0\n"), None);
        let cgroups = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t5\t1\n\
                       memory\t0\t1\t0\nperf_event\t0\t1\t1\npids\t8\t5\t1\n";
        assert_eq!(v1_controllers(cgroups), ["cpu", "pids"]);
    }
}
