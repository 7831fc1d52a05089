//! Counters of a process or of its control group, each with its kind and its unit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::quantity::Unit;

/// How a counter behaves over time. It decides whether two readings may be subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It only grows: the difference of two readings is what happened between them.
    Cumulative,
    /// The level at the time of the reading, or the highest level so far: never subtracted.
    Level,
}

crate::words! {
    /// A counter that the kernel offers for a process or a control group. The name ends with
    /// the unit, unless the counter counts events.
    Counter, "counter" {
        /// Anonymous memory of the host before it created an instance inside itself.
        AnonymousBefore = "anonymous_before_bytes",
        /// Anonymous memory of the process.
        Anonymous = "anonymous_bytes",
        /// Anonymous memory of the host with the instance inside it.
        AnonymousWithInstance = "anonymous_with_instance_bytes",
        /// CPU time of the process.
        Cpu = "cpu_ns",
        /// Time during which at least one task of the group waited for a CPU (PSI `some`).
        CpuPressure = "cpu_pressure_us",
        /// CPU time of the group in kernel mode.
        CpuSystem = "cpu_system_us",
        /// CPU time of the group from `cpuacct` (cgroup version 1).
        CpuUsageV1 = "cpu_usage_ns",
        /// CPU time of the group from `cpu.stat` (cgroup version 2).
        CpuUsage = "cpu_usage_us",
        /// CPU time of the group in user mode.
        CpuUser = "cpu_user_us",
        /// Time during which at least one task of the group waited for I/O (PSI `some`).
        IoPressure = "io_pressure_us",
        /// Bytes that the group read from block devices.
        IoRead = "io_read_bytes",
        /// Bytes that the group wrote to block devices.
        IoWrite = "io_write_bytes",
        /// Page faults that read from a device.
        MajorPageFaults = "major_page_faults",
        /// Current memory use of the group.
        MemoryCurrent = "memory_current_bytes",
        /// Highest memory use of the group so far.
        MemoryPeak = "memory_peak_bytes",
        /// Time during which at least one task of the group waited for memory (PSI `some`).
        MemoryPressure = "memory_pressure_us",
        /// Processes of the group that the kernel killed because memory ran out.
        OomKills = "oom_kills",
        /// Minor page faults of a process; all page faults of a group.
        PageFaults = "page_faults",
        /// Proportional set size of the host before it created an instance inside itself.
        PssBefore = "pss_before_bytes",
        /// Proportional set size of the process: a page shared by n processes counts 1/n.
        Pss = "pss_bytes",
        /// Proportional set size of the host with the instance inside it.
        PssWithInstance = "pss_with_instance_bytes",
        /// Resident set size of the process.
        Rss = "rss_bytes",
        /// Time during which the group was throttled (cgroup version 1).
        ThrottledV1 = "throttled_ns",
        /// CPU bandwidth periods in which the group was throttled.
        ThrottledPeriods = "throttled_periods",
        /// Time during which the group was throttled (cgroup version 2).
        Throttled = "throttled_us",
    }
}

impl Counter {
    /// The unit of its values.
    pub const fn unit(self) -> Unit {
        use Counter::*;
        match self {
            Cpu | CpuUsageV1 | ThrottledV1 => Unit::Nanoseconds,
            CpuPressure | CpuSystem | CpuUsage | CpuUser | IoPressure | MemoryPressure
            | Throttled => Unit::Microseconds,
            AnonymousBefore
            | Anonymous
            | AnonymousWithInstance
            | IoRead
            | IoWrite
            | MemoryCurrent
            | MemoryPeak
            | PssBefore
            | Pss
            | PssWithInstance
            | Rss => Unit::Bytes,
            MajorPageFaults | OomKills | PageFaults | ThrottledPeriods => Unit::Count,
        }
    }

    /// Whether its values accumulate or are levels.
    pub const fn kind(self) -> Kind {
        use Counter::*;
        match self {
            AnonymousBefore
            | Anonymous
            | AnonymousWithInstance
            | MemoryCurrent
            | MemoryPeak
            | PssBefore
            | Pss
            | PssWithInstance
            | Rss => Kind::Level,
            Cpu | CpuUsageV1 | ThrottledV1 | CpuPressure | CpuSystem | CpuUsage | CpuUser
            | IoPressure | MemoryPressure | Throttled | IoRead | IoWrite | MajorPageFaults
            | OomKills | PageFaults | ThrottledPeriods => Kind::Cumulative,
        }
    }
}

/// Readings of counters. A counter that the kernel does not offer is absent, never zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counters(BTreeMap<Counter, u64>);

impl Counters {
    /// The value of `counter`, if it was read.
    pub fn get(&self, counter: Counter) -> Option<u64> {
        self.0.get(&counter).copied()
    }

    /// Sets a value.
    pub fn set(&mut self, counter: Counter, value: u64) {
        self.0.insert(counter, value);
    }

    /// Sets the value if it is known.
    pub fn set_known(&mut self, counter: Counter, value: Option<u64>) {
        if let Some(value) = value {
            self.set(counter, value);
        }
    }

    /// Adds the values of `other`, which replace those of the same counters.
    pub fn extend(&mut self, other: Counters) {
        self.0.extend(other.0);
    }

    /// The counters with their values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (Counter, u64)> + '_ {
        self.0.iter().map(|(counter, value)| (*counter, *value))
    }

    /// CPU time of a control group in nanoseconds, from the counter of its cgroup version.
    pub fn group_cpu_ns(&self) -> Option<u64> {
        self.get(Counter::CpuUsageV1).or_else(|| Some(self.get(Counter::CpuUsage)? * 1_000))
    }

    /// Whether no counter was read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The increase since the reading `before`, or since zero without one. Levels stay as they
    /// are. A cumulative counter that `before` lacks, or that decreased, is removed.
    #[must_use]
    pub fn since(mut self, before: Option<&Counters>) -> Counters {
        let Some(before) = before else { return self };
        self.0.retain(|counter, value| {
            if counter.kind() == Kind::Level {
                return true;
            }
            let grown = before.get(*counter).and_then(|before| value.checked_sub(before));
            *value = grown.unwrap_or_default();
            grown.is_some()
        });
        self
    }
}

impl FromIterator<(Counter, u64)> for Counters {
    fn from_iter<I: IntoIterator<Item = (Counter, u64)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_end_with_the_unit() {
        let names: Vec<&str> = Counter::ALL.iter().map(|counter| counter.as_str()).collect();
        assert!(names.is_sorted(), "files list counters by name: {names:?}");
        for counter in Counter::ALL {
            let unit = match counter.as_str().rsplit_once('_') {
                Some((_, "ns")) => Unit::Nanoseconds,
                Some((_, "us")) => Unit::Microseconds,
                Some((_, "bytes")) => Unit::Bytes,
                _ => Unit::Count,
            };
            assert_eq!(counter.unit(), unit, "{counter}");
        }
    }

    #[test]
    fn only_cumulative_counters_are_subtracted() {
        let read = |faults, current| {
            Counters::from_iter([
                (Counter::PageFaults, faults),
                (Counter::MemoryCurrent, current),
                (Counter::OomKills, 1),
            ])
        };
        let mut before = read(10, 4096);
        before.0.remove(&Counter::OomKills);
        let since = read(15, 2048).since(Some(&before));
        assert_eq!(
            since,
            Counters::from_iter([(Counter::PageFaults, 5), (Counter::MemoryCurrent, 2048)])
        );
        assert_eq!(read(15, 2048).since(None), read(15, 2048));
        assert_eq!(read(5, 1).since(Some(&read(10, 1))).get(Counter::PageFaults), None);
    }

    #[test]
    fn counters_serialise_by_name() {
        let counters = Counters::from_iter([(Counter::Cpu, 7), (Counter::Anonymous, 1)]);
        let json = serde_json::to_string(&counters).unwrap();
        assert_eq!(json, r#"{"anonymous_bytes":1,"cpu_ns":7}"#);
        assert_eq!(serde_json::from_str::<Counters>(&json).unwrap(), counters);
    }
}
