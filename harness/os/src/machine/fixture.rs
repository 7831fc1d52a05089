//! A machine made of files, for tests.

use std::path::Path;

use super::root::Root;

/// Writes `text` to a file below `root`.
pub(super) fn write(root: &Root, file: &str, text: &str) {
    let path = root.path(file);
    std::fs::create_dir_all(path.parent().expect("a file has a folder")).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A Raspberry Pi 5 with the defaults of Raspberry Pi OS, and two of its four cores.
pub(super) fn pi5(folder: &Path) -> Root {
    let root = Root::at(folder);
    let core = |n| format!("processor\t: {n}\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n\n");
    let files = [
        ("proc/cpuinfo", format!("{}{}Model\t\t: Raspberry Pi 5\n", core(0), core(1))),
        ("proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0".into()),
        ("proc/meminfo", "MemTotal:        8256688 kB\nSwapTotal:        524288 kB\n".into()),
        ("proc/sys/kernel/osrelease", "6.12.34+rpt-rpi-2712\n".into()),
        ("proc/sys/kernel/randomize_va_space", "2\n".into()),
        ("proc/self/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n".into()),
        ("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io pids\n".into()),
        ("proc/stat", "cpu  1000 0 500 9000 100 0 10 0 0 0\ncpu0 1 2 3\n".into()),
        ("proc/loadavg", "0.10 0.05 0.01 1/180 900\n".into()),
        ("proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=5000\n".into()),
        ("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n".into()),
        ("sys/class/thermal/thermal_zone0/temp", "48200\n".into()),
        ("sys/devices/platform/soc/soc:firmware/get_throttled", "0\n".into()),
    ];
    for (file, text) in files {
        write(&root, file, &text);
    }
    for core in 0..2 {
        let clock = [
            ("governor", "ondemand"),
            ("min_freq", "1500000"),
            ("max_freq", "2400000"),
            ("cur_freq", "2400000"),
        ];
        for (name, value) in clock {
            let file = format!("sys/devices/system/cpu/cpu{core}/cpufreq/scaling_{name}");
            write(&root, &file, value);
        }
    }
    root
}
