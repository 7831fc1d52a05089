//! What the kernel counts for a group. A counter that it does not offer is absent.

use std::path::{Path, PathBuf};

use lumos_model::counters::{Counter, Counters};

use super::folders::Folders;
use super::hierarchy::Mode;
use crate::machine::parse;

/// Reads all counters of a group. Each file takes about 10 us, so call it between samples only.
pub(super) fn read(folders: &Folders) -> Counters {
    let mut counters = Counters::default();
    if let Some(folder) = &folders.unified {
        read_cpu_and_io(folder, &mut counters);
    }
    if folders.mode != Mode::V2 {
        let cpu = first_keyed(&folders.v1, "cpu.stat");
        counters.set_known(Counter::CpuUsageV1, first(&folders.v1, "cpuacct.usage"));
        counters.set_known(Counter::ThrottledPeriods, cpu.get("nr_throttled"));
        counters.set_known(Counter::ThrottledV1, cpu.get("throttled_time"));
    }
    read_memory(folders, &mut counters);
    counters
}

/// CPU time, pressure and I/O, from the version 2 folder; a hybrid machine has one too.
fn read_cpu_and_io(folder: &Path, counters: &mut Counters) {
    let cpu = Keyed::read(&folder.join("cpu.stat"));
    counters.set_known(Counter::CpuUsage, cpu.get("usage_usec"));
    counters.set_known(Counter::CpuUser, cpu.get("user_usec"));
    counters.set_known(Counter::CpuSystem, cpu.get("system_usec"));
    counters.set_known(Counter::ThrottledPeriods, cpu.get("nr_throttled"));
    counters.set_known(Counter::Throttled, cpu.get("throttled_usec"));
    let pressures = [
        ("cpu.pressure", Counter::CpuPressure),
        ("memory.pressure", Counter::MemoryPressure),
        ("io.pressure", Counter::IoPressure),
    ];
    for (file, counter) in pressures {
        let text = std::fs::read_to_string(folder.join(file)).ok();
        counters.set_known(counter, text.as_deref().and_then(parse::pressure_some_us));
    }
    let io = io_stat(&folder.join("io.stat"));
    counters.set_known(Counter::IoRead, io.map(|(read, _)| read));
    counters.set_known(Counter::IoWrite, io.map(|(_, written)| written));
}

fn read_memory(folders: &Folders, counters: &mut Counters) {
    let (current, stat) = match (folders.mode, &folders.unified) {
        (Mode::V2, Some(folder)) => {
            (number(&folder.join("memory.current")), Keyed::read(&folder.join("memory.stat")))
        }
        (Mode::V2, None) => (None, Keyed::default()),
        (Mode::V1 | Mode::Hybrid, _) => {
            let v1 = &folders.v1;
            (first(v1, "memory.usage_in_bytes"), first_keyed(v1, "memory.stat"))
        }
    };
    counters.set_known(Counter::MemoryCurrent, current);
    counters.set_known(Counter::PageFaults, stat.get("pgfault"));
    counters.set_known(Counter::MajorPageFaults, stat.get("pgmajfault"));
    counters.set_known(Counter::MemoryPeak, memory_peak(folders));
    counters.set_known(Counter::OomKills, oom_kills(folders));
}

/// Highest memory use of the group so far, in bytes.
pub(super) fn memory_peak(folders: &Folders) -> Option<u64> {
    match folders.mode {
        Mode::V2 => number(&folders.unified.as_ref()?.join("memory.peak")),
        Mode::V1 | Mode::Hybrid => first(&folders.v1, "memory.max_usage_in_bytes"),
    }
}

/// Number of processes that the kernel killed because memory ran out.
pub(super) fn oom_kills(folders: &Folders) -> Option<u64> {
    match folders.mode {
        Mode::V2 => Keyed::read(&folders.unified.as_ref()?.join("memory.events")).get("oom_kill"),
        Mode::V1 | Mode::Hybrid => first_keyed(&folders.v1, "memory.oom_control").get("oom_kill"),
    }
}

fn number(path: &Path) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn first(folders: &[PathBuf], file: &str) -> Option<u64> {
    folders.iter().find_map(|folder| number(&folder.join(file)))
}

fn first_keyed(folders: &[PathBuf], file: &str) -> Keyed {
    let path = folders.iter().map(|folder| folder.join(file)).find(|path| path.exists());
    path.as_deref().map_or_else(Keyed::default, Keyed::read)
}

/// The text of a file with lines `key value`.
#[derive(Default)]
struct Keyed(String);

impl Keyed {
    /// An unreadable file has no keys.
    fn read(path: &Path) -> Self {
        Self(std::fs::read_to_string(path).unwrap_or_default())
    }

    fn get(&self, key: &str) -> Option<u64> {
        self.0.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.parse().ok())
    }
}

/// Bytes read and written over all devices of `io.stat`; `None` without the controller.
fn io_stat(path: &Path) -> Option<(u64, u64)> {
    let text = std::fs::read_to_string(path).ok()?;
    let sum = |key: &str| -> u64 {
        let words = text.split_whitespace().filter_map(|word| word.strip_prefix(key));
        words.filter_map(|number| number.parse::<u64>().ok()).sum()
    };
    Some((sum("rbytes="), sum("wbytes=")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_counters_stay_absent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let v2 = Folders { mode: Mode::V2, v1: Vec::new(), unified: Some(path.clone()) };
        assert_eq!(read(&v2), Counters::default());
        let v1 = Folders { mode: Mode::V1, v1: vec![path], unified: None };
        assert_eq!(read(&v1), Counters::default());
    }

    #[test]
    fn reads_the_files_of_version_2() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("cpu.stat", "usage_usec 12\nuser_usec 7\nsystem_usec 5\n");
        write("memory.peak", "4096\n");
        write("memory.events", "low 0\noom 1\noom_kill 2\n");
        write("io.stat", "8:0 rbytes=10 wbytes=1 rios=1\n8:1 rbytes=5 wbytes=2\n");
        write(
            "cpu.pressure",
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=33\nfull avg10=0 total=1\n",
        );
        let unified = Some(folder.path().to_owned());
        let counters = read(&Folders { mode: Mode::V2, v1: Vec::new(), unified });
        let expected = [
            ("cpu_usage_us", 12),
            ("cpu_user_us", 7),
            ("cpu_system_us", 5),
            ("cpu_pressure_us", 33),
            ("io_read_bytes", 15),
            ("io_write_bytes", 3),
            ("memory_peak_bytes", 4096),
            ("oom_kills", 2),
        ];
        assert_eq!(
            counters,
            Counters::from_iter(expected.map(|(name, value)| (name.parse().unwrap(), value)))
        );
    }
}
