//! The resource usage of this process.

use lumos_model::counters::{Counter, Counters};
use nix::sys::resource::{UsageWho, getrusage};

use crate::clock::process_cpu_ns;

/// CPU time and page faults of this process since its start.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    cpu_ns: u64,
    faults: Option<Faults>,
}

#[derive(Clone, Copy, Debug)]
struct Faults {
    minor: u64,
    major: u64,
}

impl Usage {
    /// The usage so far. It takes two system calls, about 1 us.
    pub fn now() -> Self {
        let faults = getrusage(UsageWho::RUSAGE_SELF).ok().map(|usage| Faults {
            minor: usage.minor_page_faults() as u64,
            major: usage.major_page_faults() as u64,
        });
        Self { cpu_ns: process_cpu_ns(), faults }
    }

    /// The increase since `before`: `cpu_ns`, `page_faults`, `major_page_faults`.
    pub fn since(&self, before: &Self) -> Counters {
        let mut counters = Counters::from_iter([(Counter::Cpu, self.cpu_ns - before.cpu_ns)]);
        if let (Some(now), Some(before)) = (self.faults, before.faults) {
            counters.set(Counter::PageFaults, now.minor - before.minor);
            counters.set(Counter::MajorPageFaults, now.major - before.major);
        }
        counters
    }
}

/// Resident, proportional and anonymous memory of this process: the levels `rss_bytes`,
/// `pss_bytes` and `anonymous_bytes` (proc_pid_smaps(5)). The proportional size depends on other
/// processes that run the same executable; the anonymous size does not. The call takes up to a few
/// milliseconds, so it belongs between blocks.
pub fn memory() -> Counters {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let level = |(key, counter): (&str, Counter)| {
        let line = rollup.lines().find_map(|line| line.strip_prefix(key))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some((counter, kib << 10))
    };
    let levels =
        [("Rss:", Counter::Rss), ("Pss:", Counter::Pss), ("Anonymous:", Counter::Anonymous)];
    levels.into_iter().filter_map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_memory_and_cpu_time_of_this_process() {
        let before = Usage::now();
        let page = std::hint::black_box(vec![1_u8; 1 << 20]);
        let used = Usage::now().since(&before);
        assert!(
            used.get(Counter::Cpu).unwrap() > 0 && used.get(Counter::PageFaults).unwrap() > 0,
            "{used:?}"
        );
        let memory = memory();
        assert!(memory.get(Counter::Rss).unwrap() > page.len() as u64, "{memory:?}");
        assert!(memory.get(Counter::Pss).unwrap() > 0, "{memory:?}");
        assert!(memory.get(Counter::Anonymous).unwrap() > page.len() as u64, "{memory:?}");
    }
}
