//! The sliding windows over which the autoscaler averages concurrency.

use std::collections::VecDeque;

/// Nanoseconds from one decision to the next.
pub(super) const INTERVAL_NS: u64 = 2_000_000_000;

/// Concurrency times nanoseconds.
pub(super) type Area = u128;

/// A moment, and the area under the concurrency up to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) at_ns: u64,
    pub(super) area: Area,
}

/// A window that ends at each decision. The moments at which windows begin are known in
/// advance, so the area is recorded when time passes such a moment.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) length_ns: u64,
    pub(super) next_mark_ns: u64,
    /// The beginnings of windows whose decision is still to come.
    marks: VecDeque<Mark>,
}

impl Window {
    pub(super) fn new(length_ns: u64) -> Self {
        Self { length_ns, next_mark_ns: 0, marks: VecDeque::new() }
    }

    /// Decisions follow `now_ns` at multiples of the interval. The first mark is the first
    /// beginning of a window that is not before `now_ns`.
    pub(super) fn start(&mut self, now_ns: u64) {
        let intervals = self.length_ns.div_ceil(INTERVAL_NS).max(1);
        let decision_ns = now_ns.saturating_add(intervals.saturating_mul(INTERVAL_NS));
        self.next_mark_ns = decision_ns.saturating_sub(self.length_ns);
    }

    /// Records the area at the next beginning of a window.
    pub(super) fn mark(&mut self, area: Area) {
        self.marks.push_back(Mark { at_ns: self.next_mark_ns, area });
        self.next_mark_ns = self.next_mark_ns.saturating_add(INTERVAL_NS);
    }

    /// The beginning of the window that ends at `at_ns`, but not before `earliest`.
    pub(super) fn begin(&mut self, at_ns: u64, earliest: Mark) -> Mark {
        let begin_ns = at_ns.checked_sub(self.length_ns);
        match self.marks.front() {
            Some(&mark) if Some(mark.at_ns) == begin_ns => {
                self.marks.pop_front();
                if mark.at_ns > earliest.at_ns { mark } else { earliest }
            }
            _ => earliest,
        }
    }
}

/// The area under a constant concurrency.
pub(super) fn area(concurrency: u32, length_ns: u64) -> Area {
    u128::from(concurrency) * u128::from(length_ns)
}
