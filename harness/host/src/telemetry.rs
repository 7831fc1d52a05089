//! What the host process counts of itself at the edge of a block.

use crate::cgroup::Counters;

/// Resident and proportional memory of this process in bytes, its page faults and its
/// CPU time. Costs up to some milliseconds: between blocks only.
pub fn host_counters() -> Counters {
    let mut counters = Counters::new();
    counters.insert("cpu_ns".to_owned(), crate::clock::process_cpu_ns());
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    for (key, name) in [("Rss:", "rss_bytes"), ("Pss:", "pss_bytes")] {
        let kib = rollup.lines().find_map(|line| {
            line.strip_prefix(key)?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
        });
        if let Some(kib) = kib {
            counters.insert(name.to_owned(), kib << 10);
        }
    }
    if let Ok(usage) = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF) {
        counters.insert("page_faults".to_owned(), usage.minor_page_faults() as u64);
        counters.insert("major_page_faults".to_owned(), usage.major_page_faults() as u64);
    }
    counters
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_uses_memory_and_time() {
        let counters = super::host_counters();
        for name in ["cpu_ns", "rss_bytes", "pss_bytes", "page_faults"] {
            assert!(counters[name] > 0, "{name} is zero");
        }
    }
}
