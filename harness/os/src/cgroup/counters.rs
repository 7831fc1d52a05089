//! What the kernel counts for a group. A counter that it does not offer is absent.

use std::path::{Path, PathBuf};

use lumos_model::counters::{Counter, Counters};

use super::{Mode, read_line};

/// Reads all counters of a group. About 10 us a file: only between samples.
pub fn read(mode: Mode, v1: &[PathBuf], unified: Option<&Path>) -> Counters {
    let mut counters = Counters::default();
    let mut put = |counter: Counter, value: Option<u64>| counters.set_known(counter, value);
    if let Some(folder) = unified {
        let cpu = Keyed::read(&folder.join("cpu.stat"));
        put(Counter::CpuUsage, cpu.get("usage_usec"));
        put(Counter::CpuUser, cpu.get("user_usec"));
        put(Counter::CpuSystem, cpu.get("system_usec"));
        put(Counter::ThrottledPeriods, cpu.get("nr_throttled"));
        put(Counter::Throttled, cpu.get("throttled_usec"));
        let pressures = [
            ("cpu.pressure", Counter::CpuPressure),
            ("memory.pressure", Counter::MemoryPressure),
            ("io.pressure", Counter::IoPressure),
        ];
        for (file, counter) in pressures {
            put(counter, pressure_total(&folder.join(file)));
        }
        let io = io_stat(&folder.join("io.stat"));
        put(Counter::IoRead, io.map(|(read, _)| read));
        put(Counter::IoWrite, io.map(|(_, written)| written));
    }
    if mode != Mode::V2 {
        put(Counter::CpuUsageV1, first(v1, "cpuacct.usage"));
        let cpu = first_keyed(v1, "cpu.stat");
        put(Counter::ThrottledPeriods, cpu.get("nr_throttled"));
        put(Counter::ThrottledV1, cpu.get("throttled_time"));
    }
    let (current, stat) = match mode {
        Mode::V2 => {
            let file = |name: &str| unified.map(|folder| folder.join(name));
            let current = file("memory.current").as_deref().and_then(number);
            (current, file("memory.stat").as_deref().map_or_else(Keyed::none, Keyed::read))
        }
        _ => (first(v1, "memory.usage_in_bytes"), first_keyed(v1, "memory.stat")),
    };
    put(Counter::MemoryCurrent, current);
    put(Counter::PageFaults, stat.get("pgfault"));
    put(Counter::MajorPageFaults, stat.get("pgmajfault"));
    put(Counter::MemoryPeak, memory_peak(mode, v1, unified));
    put(Counter::OomKills, oom_kills(mode, v1, unified));
    counters
}

/// The most memory that the group ever used, in bytes.
pub fn memory_peak(mode: Mode, v1: &[PathBuf], unified: Option<&Path>) -> Option<u64> {
    match mode {
        Mode::V2 => number(&unified?.join("memory.peak")),
        _ => first(v1, "memory.max_usage_in_bytes"),
    }
}

/// Processes killed for want of memory.
pub fn oom_kills(mode: Mode, v1: &[PathBuf], unified: Option<&Path>) -> Option<u64> {
    match mode {
        Mode::V2 => Keyed::read(&unified?.join("memory.events")).get("oom_kill"),
        _ => first_keyed(v1, "memory.oom_control").get("oom_kill"),
    }
}

fn number(path: &Path) -> Option<u64> {
    read_line(path)?.parse().ok()
}

fn first(folders: &[PathBuf], file: &str) -> Option<u64> {
    folders.iter().find_map(|folder| number(&folder.join(file)))
}

fn first_keyed(folders: &[PathBuf], file: &str) -> Keyed {
    let path = folders.iter().map(|folder| folder.join(file)).find(|path| path.exists());
    path.as_deref().map_or_else(Keyed::none, Keyed::read)
}

/// A file of lines `key value`.
struct Keyed(String);

impl Keyed {
    /// One that is not there.
    fn none() -> Self {
        Self(String::new())
    }

    fn read(path: &Path) -> Self {
        Self(std::fs::read_to_string(path).unwrap_or_default())
    }

    fn get(&self, key: &str) -> Option<u64> {
        self.0.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.parse().ok())
    }
}

/// The `total=` of the `some` line of a pressure file, in microseconds.
fn pressure_total(path: &Path) -> Option<u64> {
    let line = read_line(path)?;
    line.strip_prefix("some ")?.split_once("total=")?.1.parse().ok()
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
        assert_eq!(read(Mode::V2, &[], Some(folder.path())), Counters::default());
        assert_eq!(read(Mode::V1, &[folder.path().to_owned()], None), Counters::default());
    }

    #[test]
    fn version_2_files_are_read() {
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
        let counters = read(Mode::V2, &[], Some(folder.path()));
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
