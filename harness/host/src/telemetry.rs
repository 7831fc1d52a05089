//! What the host process counts of itself: over a block, and at its end.

use nix::sys::resource::{UsageWho, getrusage};

use crate::cgroup::Counters;
use crate::clock::process_cpu_ns;

/// What only grows: CPU time and page faults of this process since it began.
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
    /// As it stands. Two system calls, about 1 us.
    pub fn now() -> Self {
        let faults = getrusage(UsageWho::RUSAGE_SELF).ok().map(|usage| Faults {
            minor: usage.minor_page_faults() as u64,
            major: usage.major_page_faults() as u64,
        });
        Self { cpu_ns: process_cpu_ns(), faults }
    }

    /// What came since `before`: `cpu_ns`, `page_faults`, `major_page_faults`.
    pub fn since(&self, before: &Self) -> Counters {
        let mut counters = Counters::from([("cpu_ns".to_owned(), self.cpu_ns - before.cpu_ns)]);
        if let (Some(now), Some(before)) = (self.faults, before.faults) {
            counters.insert("page_faults".to_owned(), now.minor - before.minor);
            counters.insert("major_page_faults".to_owned(), now.major - before.major);
        }
        counters
    }
}

/// Resident, proportional and anonymous memory of this process: the levels `rss_bytes`,
/// `pss_bytes`, which changes with who else runs the same executable, and
/// `anonymous_bytes`, which does not (proc_pid_smaps(5)). Costs up to some milliseconds:
/// between blocks only.
pub fn memory() -> Counters {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let level = |(key, name): (&str, &str)| {
        let line = rollup.lines().find_map(|line| line.strip_prefix(key))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some((name.to_owned(), kib << 10))
    };
    let levels = [("Rss:", "rss_bytes"), ("Pss:", "pss_bytes"), ("Anonymous:", "anonymous_bytes")];
    levels.into_iter().filter_map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_time() {
        let before = Usage::now();
        let page = std::hint::black_box(vec![1_u8; 1 << 20]);
        let used = Usage::now().since(&before);
        assert!(used["cpu_ns"] > 0 && used["page_faults"] > 0, "{used:?}");
        let memory = memory();
        assert!(memory["rss_bytes"] > page.len() as u64, "{memory:?}");
        assert!(memory["pss_bytes"] > 0, "{memory:?}");
        assert!(memory["anonymous_bytes"] > page.len() as u64, "{memory:?}");
    }
}
