//! Counters of a process or of its control group, each with its kind and unit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::quantity::Unit;

/// How a counter behaves over time, which decides how two readings are subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Only grows: a difference of two readings is what happened in between.
    Cumulative,
    /// A level at the time of the reading, or the highest level so far: never subtracted.
    Level,
}

crate::words! {
    /// A counter that the kernel offers for a process or a control group. The name ends in
    /// the unit, unless the counter counts events.
    Counter, "counter" {
        /// Anonymous memory before an instance was made inside the host.
        AnonymousBefore = "anonymous_before_bytes",
        /// Anonymous memory of the process.
        Anonymous = "anonymous_bytes",
        /// Anonymous memory with the instance inside the host.
        AnonymousWithInstance = "anonymous_with_instance_bytes",
        /// CPU time of the process.
        Cpu = "cpu_ns",
        /// Time in which a task of the group waited for a CPU (PSI `some`).
        CpuPressure = "cpu_pressure_us",
        /// CPU time of the group in kernel mode.
        CpuSystem = "cpu_system_us",
        /// CPU time of the group by `cpuacct`, cgroup version 1.
        CpuUsageV1 = "cpu_usage_ns",
        /// CPU time of the group by `cpu.stat`, cgroup version 2.
        CpuUsage = "cpu_usage_us",
        /// CPU time of the group in user mode.
        CpuUser = "cpu_user_us",
        /// Time in which a task of the group waited for I/O (PSI `some`).
        IoPressure = "io_pressure_us",
        /// Bytes that the group read from block devices.
        IoRead = "io_read_bytes",
        /// Bytes that the group wrote to block devices.
        IoWrite = "io_write_bytes",
        /// Page faults that had to read from a device.
        MajorPageFaults = "major_page_faults",
        /// Memory of the group now.
        MemoryCurrent = "memory_current_bytes",
        /// The most memory that the group ever used.
        MemoryPeak = "memory_peak_bytes",
        /// Time in which a task of the group waited for memory (PSI `some`).
        MemoryPressure = "memory_pressure_us",
        /// Processes of the group that the kernel killed for want of memory.
        OomKills = "oom_kills",
        /// Page faults.
        PageFaults = "page_faults",
        /// Proportional set size before an instance was made inside the host.
        PssBefore = "pss_before_bytes",
        /// Proportional set size of the process; shared pages count in part.
        Pss = "pss_bytes",
        /// Proportional set size with the instance inside the host.
        PssWithInstance = "pss_with_instance_bytes",
        /// Resident set size of the process.
        Rss = "rss_bytes",
        /// Time in which the group was throttled, cgroup version 1.
        ThrottledV1 = "throttled_ns",
        /// Periods in which the group was throttled.
        ThrottledPeriods = "throttled_periods",
        /// Time in which the group was throttled, cgroup version 2.
        Throttled = "throttled_us",
    }
}

impl Counter {
    /// The unit of its values.
    pub fn unit(self) -> Unit {
        Unit::of_key(self.as_str())
    }

    /// Whether it grows or is a level.
    pub const fn kind(self) -> Kind {
        match self {
            Counter::AnonymousBefore
            | Counter::Anonymous
            | Counter::AnonymousWithInstance
            | Counter::MemoryCurrent
            | Counter::MemoryPeak
            | Counter::PssBefore
            | Counter::Pss
            | Counter::PssWithInstance
            | Counter::Rss => Kind::Level,
            _ => Kind::Cumulative,
        }
    }
}

/// Counters with their values. A counter that the kernel does not offer is absent, never zero.
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

    /// Sets a value if there is one.
    pub fn set_known(&mut self, counter: Counter, value: Option<u64>) {
        if let Some(value) = value {
            self.set(counter, value);
        }
    }

    /// Takes over the values of `other`.
    pub fn extend(&mut self, other: Counters) {
        self.0.extend(other.0);
    }

    /// The counters and their values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (Counter, u64)> + '_ {
        self.0.iter().map(|(counter, value)| (*counter, *value))
    }

    /// CPU time of a control group in nanoseconds, from whichever counter its version offers.
    pub fn group_cpu_ns(&self) -> Option<u64> {
        self.get(Counter::CpuUsageV1).or_else(|| Some(self.get(Counter::CpuUsage)? * 1_000))
    }

    /// Whether no counter was read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What happened since the reading `before`; without one, since all were zero. Levels stay
    /// as they are. A cumulative counter that `before` lacks, or that fell, has no difference.
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
    fn names_are_in_order_and_tell_the_unit() {
        let names: Vec<&str> = Counter::ALL.iter().map(|counter| counter.as_str()).collect();
        assert!(names.is_sorted(), "files list counters by name: {names:?}");
        assert_eq!(Counter::Throttled.unit(), Unit::Microseconds);
        assert_eq!(Counter::MemoryPeak.unit(), Unit::Bytes);
        assert_eq!(Counter::ThrottledPeriods.unit(), Unit::Count);
    }

    #[test]
    fn differences_are_of_what_grows() {
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
    fn files_hold_names() {
        let counters = Counters::from_iter([(Counter::Cpu, 7), (Counter::Anonymous, 1)]);
        let json = serde_json::to_string(&counters).unwrap();
        assert_eq!(json, r#"{"anonymous_bytes":1,"cpu_ns":7}"#);
        assert_eq!(serde_json::from_str::<Counters>(&json).unwrap(), counters);
    }
}
