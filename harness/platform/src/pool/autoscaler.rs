//! The number of instances that Knative's autoscaler (KPA) would want, for a target
//! concurrency of one.
//!
//! The algorithm follows `pkg/autoscaler/scaling/autoscaler.go` of Knative Serving and the
//! defaults of its `config-autoscaler`:
//!
//! * Every 2 s (`tick-interval`) the concurrency is averaged over the stable window and over
//!   its last tenth, the panic window (`panic-window-percentage` 10).
//! * Each average, divided by the target utilisation of an instance
//!   (`container-concurrency-target-percentage`), gives a number of instances.
//! * Panic begins, or is renewed, when the panic window wants at least twice the number of
//!   ready instances (`panic-threshold-percentage` 200). It ends one stable window after the
//!   last decision that found this. During panic the number only rises.
//! * No decision goes below half of the ready instances (`max-scale-down-rate` 2).
//! * `max-scale-up-rate` is 1000 in Knative; here there is no limit.
//!
//! Knative samples the concurrency (requests that are served or wait) once a second; here it
//! is integrated over time exactly. As in Knative, averages begin with the first request
//! after a scale to zero, so that the idle time before does not dilute them.

use lumos_model::pool::Scaling;

use super::convert::nanos;
use super::window::{Area, INTERVAL_NS, Mark, Window, area};

const PANIC_SHARE: u64 = 10;
const PANIC_THRESHOLD: u32 = 2;
const MAX_SCALE_DOWN_RATE: u32 = 2;

#[derive(Debug)]
pub(super) struct Autoscaler {
    /// Target utilisation of an instance, in percent.
    utilization: u32,
    stable: Window,
    panic: Window,
    /// The area under the concurrency from the start until `passed_ns`.
    area: Area,
    passed_ns: u64,
    concurrency: u32,
    /// The earliest beginning of any average.
    began: Mark,
    next_decision_ns: u64,
    last: Decision,
    panicking: Option<Panic>,
}

/// The last decision.
#[derive(Debug, Default)]
struct Decision {
    area: Area,
    /// What the stable window wanted.
    wanted: u32,
    /// What was decided.
    desired: u32,
}

/// A panic that has not ended.
#[derive(Clone, Copy, Debug)]
struct Panic {
    /// The last decision at which the panic window exceeded the threshold.
    exceeded_ns: u64,
    /// The largest number wanted since the panic began.
    most: u32,
}

impl Autoscaler {
    /// `None`: the pool scales without an autoscaler.
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
            began: Mark { at_ns: 0, area: 0 },
            next_decision_ns: 0,
            last: Decision::default(),
            panicking: None,
        })
    }

    pub(super) fn start(&mut self, now_ns: u64) {
        self.passed_ns = now_ns;
        self.began.at_ns = now_ns;
        self.next_decision_ns = now_ns.saturating_add(INTERVAL_NS);
        for window in [&mut self.stable, &mut self.panic] {
            window.start(now_ns);
        }
    }

    /// Reports a request to a pool without instances. Averages begin here, if a whole window
    /// had passed without a request.
    pub(super) fn wake(&mut self, now_ns: u64) {
        if self.is_quiet() {
            self.began = Mark { at_ns: now_ns, area: self.area };
        }
    }

    /// Lets time pass with `concurrency` requests in the pool, until `now_ns` or the next
    /// decision. `true`: the decision is due; call [`decide`](Self::decide), then this again.
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

    /// Decides, at the time of the decision, how many instances are wanted when `ready` exist.
    /// Call it only when [`pass`](Self::pass) says so.
    pub(super) fn decide(&mut self, ready: u32) {
        let at_ns = self.next_decision_ns;
        let now = Mark { at_ns, area: self.area };
        let stable_since = self.stable.begin(at_ns, self.began);
        let panic_since = self.panic.begin(at_ns, self.began);
        let ready = ready.max(1);
        let least = ready / MAX_SCALE_DOWN_RATE;
        let wanted = self.wanted(stable_since, now);
        let wanted_by_panic = self.wanted(panic_since, now);
        let exceeded = wanted_by_panic >= ready.saturating_mul(PANIC_THRESHOLD);
        self.update_panic(at_ns, exceeded, wanted.max(wanted_by_panic).max(least));
        let desired = self.panicking.map_or(wanted.max(least), |panic| panic.most);
        self.last = Decision { area: self.area, wanted, desired };
        self.next_decision_ns = at_ns.saturating_add(INTERVAL_NS);
    }

    /// Begins, prolongs or ends the panic; `most`: the largest number wanted now.
    fn update_panic(&mut self, at_ns: u64, exceeded: bool, most: u32) {
        self.panicking = match self.panicking {
            _ if exceeded => {
                let before = self.panicking.map_or(0, |panic| panic.most);
                Some(Panic { exceeded_ns: at_ns, most: before.max(most) })
            }
            Some(panic) if at_ns - panic.exceeded_ns <= self.stable.length_ns => {
                Some(Panic { most: panic.most.max(most), ..panic })
            }
            _ => None,
        };
    }

    /// The number of instances wanted by the last decision.
    pub(super) fn desired(&self) -> u32 {
        self.last.desired
    }

    pub(super) fn next_decision_ns(&self) -> u64 {
        self.next_decision_ns
    }

    /// Whether no request was in the pool for a whole window before the last decision nor
    /// since then, and there is no panic. All further decisions are then for fewer instances.
    pub(super) fn is_quiet(&self) -> bool {
        self.last.wanted == 0 && self.last.area == self.area && self.panicking.is_none()
    }

    /// The number of instances that the mean concurrency between two marks wants.
    fn wanted(&self, from: Mark, to: Mark) -> u32 {
        // A window of length zero takes the concurrency of the moment.
        let (area, length_ns) = match to.at_ns - from.at_ns {
            0 => (area(self.concurrency, 1), 1),
            length_ns => (to.area - from.area, length_ns),
        };
        let target = u128::from(length_ns) * u128::from(self.utilization);
        match target {
            _ if area == 0 => 0,
            0 => u32::MAX,
            _ => u32::try_from((area * 100).div_ceil(target)).unwrap_or(u32::MAX),
        }
    }
}
