//! The clocks of the cores and the governors that set them.
//!
//! Files and units (kHz): Documentation/admin-guide/pm/cpufreq.rst of the kernel. Most virtual
//! machines have none of these files.

use lumos_model::fingerprint::CoreClock;

use super::root::Root;

const CPUS: &str = "sys/devices/system/cpu";

/// The clock settings of the cores that report them.
pub(super) fn read(root: &Root) -> Vec<CoreClock> {
    cores(root).into_iter().map(|core| clock(root, core)).collect()
}

fn clock(root: &Root, core: u32) -> CoreClock {
    let number = |name: &str| root.number(&file(core, name));
    CoreClock {
        core,
        governor: root.text(&file(core, "scaling_governor")),
        min_khz: number("scaling_min_freq"),
        max_khz: number("scaling_max_freq"),
        current_khz: number("scaling_cur_freq"),
    }
}

/// The numbers of the cores with a folder `cpufreq`.
pub(super) fn cores(root: &Root) -> Vec<u32> {
    let number = |name: String| name.strip_prefix("cpu")?.parse().ok();
    let mut cores: Vec<u32> = root.names(CPUS).into_iter().filter_map(number).collect();
    cores.retain(|core| root.path(&format!("{CPUS}/cpu{core}/cpufreq")).is_dir());
    cores.sort_unstable();
    cores
}

/// The path of a file in a core's folder `cpufreq`.
pub(super) fn file(core: u32, name: &str) -> String {
    format!("{CPUS}/cpu{core}/cpufreq/{name}")
}
