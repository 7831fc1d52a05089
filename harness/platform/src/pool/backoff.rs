//! How long nothing is tried again after a failure.

const FIRST_NS: u64 = 1_000_000_000;
const LONGEST_NS: u64 = 30_000_000_000;

/// A wait of 1 s after a failure, twice as long after each further one, 30 s at the most.
/// Failures during a wait are of the same attempt and do not prolong it.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    /// The end of the wait and its length.
    wait: Option<(u64, u64)>,
}

impl Backoff {
    pub(super) fn failed(&mut self, now_ns: u64) {
        let wait_ns = match self.wait {
            Some((until_ns, _)) if now_ns < until_ns => return,
            Some((_, wait_ns)) => (wait_ns * 2).min(LONGEST_NS),
            None => FIRST_NS,
        };
        self.wait = Some((now_ns.saturating_add(wait_ns), wait_ns));
    }

    pub(super) fn reset(&mut self) {
        self.wait = None;
    }

    pub(super) fn is_over(&self, now_ns: u64) -> bool {
        self.wait.is_none_or(|(until_ns, _)| until_ns <= now_ns)
    }

    /// When the wait ends or ended; `None`: nothing failed since the last success.
    pub(super) fn retry_ns(&self) -> Option<u64> {
        self.wait.map(|(until_ns, _)| until_ns)
    }
}
