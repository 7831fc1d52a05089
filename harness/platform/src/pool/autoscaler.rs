//! How many instances Knative's autoscaler (KPA) would want, for a target concurrency of one.
//!
//! After `pkg/autoscaler/scaling/autoscaler.go` of Knative Serving and the defaults of its
//! `config-autoscaler`: every 2 s (`tick-interval`) the concurrency is averaged over the
//! stable window and over its last tenth (`panic-window-percentage` 10). Each average,
//! divided by the share of an instance that may be busy
//! (`container-concurrency-target-percentage`), is a number of instances. Where the panic
//! window wants twice as many as are ready (`panic-threshold-percentage` 200), panic begins
//! or goes on; it ends one stable window after that was last so, and until then the number
//! only rises. No decision goes below half of the ready instances (`max-scale-down-rate` 2).
//! `max-scale-up-rate` is 1000 in Knative and no limit here.
//!
//! Unlike Knative, which samples once a second, concurrency (requests that are served or
//! wait) is integrated over time exactly. As there, averages begin with the first request
//! after a scale to zero: what was before does not dilute them.

use std::collections::VecDeque;

use lumos_model::pool::Scaling;

use super::nanos;

/// Nanoseconds from one decision to the next.
pub(super) const INTERVAL_NS: u64 = 2_000_000_000;
const PANIC_SHARE: u64 = 10;
const PANIC_THRESHOLD: u32 = 2;
const MAX_SCALE_DOWN_RATE: u32 = 2;

/// Concurrency times nanoseconds.
type Area = u128;

/// The state of the autoscaler.
#[derive(Debug)]
pub(super) struct Autoscaler {
    /// Share of an instance's time that may be busy, in percent.
    utilization: u32,
    stable: Window,
    panic: Window,
    /// The area under the concurrency from the start until `passed_ns`.
    area: Area,
    passed_ns: u64,
    concurrency: u32,
    /// Where averages begin at the earliest, and the area until then.
    began: (u64, Area),
    next_decision_ns: u64,
    /// The area at the last decision, and whether its stable window was empty.
    decided: (Area, bool),
    /// When the panic window last wanted too many, and the most that was wanted since the
    /// panic began.
    panicking: Option<(u64, u32)>,
    desired: u32,
}

impl Autoscaler {
    /// `None`: the pool scales without.
    pub(super) fn new(scaling: Scaling) -> Option<Self> {
        let Scaling::Window { window, utilization } = scaling else { return None };
        let window_ns = nanos(window.0);
        Some(Self {
            utilization,
            stable: Window::new(window_ns),
            panic: Window::new(window_ns / PANIC_SHARE),
            area: 0,
            passed_ns: 0,
            concurrency: 0,
            began: (0, 0),
            next_decision_ns: 0,
            decided: (0, true),
            panicking: None,
            desired: 0,
        })
    }

    /// Time begins.
    pub(super) fn start(&mut self, now_ns: u64) {
        self.passed_ns = now_ns;
        self.began.0 = now_ns;
        self.next_decision_ns = now_ns.saturating_add(INTERVAL_NS);
        for window in [&mut self.stable, &mut self.panic] {
            window.start(now_ns);
        }
    }

    /// A request came to a pool without instances. If none came for a whole window before,
    /// averages begin here.
    pub(super) fn wake(&mut self, now_ns: u64) {
        if self.is_quiet() {
            self.began = (now_ns, self.area);
        }
    }

    /// Time passes, with `concurrency` requests in the pool, until `now_ns` or the next
    /// decision. `true`: the decision is due; call [`decide`](Self::decide) and go on.
    pub(super) fn pass(&mut self, now_ns: u64, concurrency: u32) -> bool {
        self.concurrency = concurrency;
        let until_ns = now_ns.min(self.next_decision_ns);
        for window in [&mut self.stable, &mut self.panic] {
            while window.next_mark_ns <= until_ns {
                let passed_ns = window.next_mark_ns.saturating_sub(self.passed_ns);
                window.mark(self.area + area(concurrency, passed_ns));
            }
        }
        self.area += area(concurrency, until_ns.saturating_sub(self.passed_ns));
        self.passed_ns = self.passed_ns.max(until_ns);
        self.next_decision_ns <= now_ns
    }

    /// Decides, at the time of the decision, how many instances are wanted; `ready` are
    /// there. To be called when [`pass`](Self::pass) says so.
    pub(super) fn decide(&mut self, ready: u32) {
        let at_ns = self.next_decision_ns;
        let now = (at_ns, self.area);
        let stable_since = self.stable.begin(at_ns, self.began);
        let panic_since = self.panic.begin(at_ns, self.began);
        let ready = ready.max(1);
        let least = ready / MAX_SCALE_DOWN_RATE;
        let wanted = self.wanted(stable_since, now);
        let wanted_by_panic = self.wanted(panic_since, now);
        let most = wanted.max(wanted_by_panic).max(least);
        self.panicking = match self.panicking {
            _ if wanted_by_panic >= ready.saturating_mul(PANIC_THRESHOLD) => {
                let before = self.panicking.map_or(0, |(_, before)| before);
                Some((at_ns, before.max(most)))
            }
            Some((since_ns, before)) if at_ns - since_ns <= self.stable.length_ns => {
                Some((since_ns, before.max(most)))
            }
            _ => None,
        };
        self.desired = self.panicking.map_or(wanted.max(least), |(_, most)| most);
        self.decided = (self.area, wanted == 0);
        self.next_decision_ns = at_ns.saturating_add(INTERVAL_NS);
    }

    /// How many instances were wanted at the last decision.
    pub(super) fn desired(&self) -> u32 {
        self.desired
    }

    /// When the next decision is due.
    pub(super) fn next_decision_ns(&self) -> u64 {
        self.next_decision_ns
    }

    /// Whether nothing was in the pool for a whole window before the last decision, nor has
    /// been since, and there is no panic: all further decisions are for fewer instances.
    pub(super) fn is_quiet(&self) -> bool {
        let (area, empty) = self.decided;
        empty && area == self.area && self.panicking.is_none()
    }

    /// The mean concurrency from one moment to another, in instances.
    fn wanted(&self, from: (u64, Area), to: (u64, Area)) -> u32 {
        // In a window without length it is the concurrency of the moment.
        let (area, length_ns) = match to.0 - from.0 {
            0 => (area(self.concurrency, 1), 1),
            length_ns => (to.1 - from.1, length_ns),
        };
        let target = u128::from(length_ns) * u128::from(self.utilization);
        match target {
            _ if area == 0 => 0,
            0 => u32::MAX,
            _ => u32::try_from((area * 100).div_ceil(target)).unwrap_or(u32::MAX),
        }
    }
}

/// A window that ends with each decision. The moments at which windows begin are known
/// beforehand, so the area until there is kept when time passes them.
#[derive(Debug)]
struct Window {
    length_ns: u64,
    next_mark_ns: u64,
    /// Beginnings of windows whose decisions are still to come, and the area until there.
    marks: VecDeque<(u64, Area)>,
}

impl Window {
    fn new(length_ns: u64) -> Self {
        Self { length_ns, next_mark_ns: 0, marks: VecDeque::new() }
    }

    /// Decisions come at multiples of the interval after `now_ns`: the first window that
    /// does not begin before `now_ns` is marked first.
    fn start(&mut self, now_ns: u64) {
        let intervals = self.length_ns.div_ceil(INTERVAL_NS).max(1);
        let decision_ns = now_ns.saturating_add(intervals.saturating_mul(INTERVAL_NS));
        self.next_mark_ns = decision_ns.saturating_sub(self.length_ns);
    }

    fn mark(&mut self, area: Area) {
        self.marks.push_back((self.next_mark_ns, area));
        self.next_mark_ns = self.next_mark_ns.saturating_add(INTERVAL_NS);
    }

    /// Where the window begins that ends at `at_ns`, not before `began`.
    fn begin(&mut self, at_ns: u64, began: (u64, Area)) -> (u64, Area) {
        let begin_ns = at_ns.checked_sub(self.length_ns);
        match self.marks.front() {
            Some(mark) if Some(mark.0) == begin_ns => {
                let mark = *mark;
                self.marks.pop_front();
                if mark.0 > began.0 { mark } else { began }
            }
            _ => began,
        }
    }
}

/// What `concurrency` requests are over a time.
fn area(concurrency: u32, length_ns: u64) -> Area {
    u128::from(concurrency) * u128::from(length_ns)
}
