//! The delay before failed provisioning is retried.

const FIRST_NS: u64 = 1_000_000_000;
const LONGEST_NS: u64 = 30_000_000_000;

/// Waits 1 s after a failure and twice as long after each further one, 30 s at most.
/// A failure during a wait belongs to the same attempt and does not prolong the wait.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    wait: Option<Wait>,
}

#[derive(Clone, Copy, Debug)]
struct Wait {
    until_ns: u64,
    length_ns: u64,
}

impl Backoff {
    pub(super) fn failed(&mut self, now_ns: u64) {
        let length_ns = match self.wait {
            Some(wait) if now_ns < wait.until_ns => return,
            Some(wait) => (wait.length_ns * 2).min(LONGEST_NS),
            None => FIRST_NS,
        };
        self.wait = Some(Wait { until_ns: now_ns.saturating_add(length_ns), length_ns });
    }

    pub(super) fn reset(&mut self) {
        self.wait = None;
    }

    pub(super) fn is_over(&self, now_ns: u64) -> bool {
        self.wait.is_none_or(|wait| wait.until_ns <= now_ns)
    }

    /// The end of the wait, past or future; `None` if nothing failed since the last success.
    pub(super) fn retry_ns(&self) -> Option<u64> {
        self.wait.map(|wait| wait.until_ns)
    }
}
