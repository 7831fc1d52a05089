//! The stopwatch of the measured code. It neither allocates, nor does I/O, nor locks.

use lumos_model::phase::{Phase, Phases};
use lumos_os::clock::monotonic_ns;

/// Collects the phases of one invocation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    phases: Phases,
}

impl Marks {
    /// Runs `work` and adds its duration to `phase`.
    #[inline]
    pub fn span<T>(&mut self, phase: Phase, work: impl FnOnce() -> T) -> T {
        let start_ns = monotonic_ns();
        let result = work();
        self.phases.add(phase, monotonic_ns() - start_ns);
        result
    }

    /// Adds `ns` nanoseconds to `phase`.
    #[inline]
    pub fn add(&mut self, phase: Phase, ns: u64) {
        self.phases.add(phase, ns);
    }

    /// The phases so far.
    pub fn phases(&self) -> &Phases {
        &self.phases
    }

    /// Resets all phases to zero.
    pub fn clear(&mut self) {
        self.phases = Phases::default();
    }
}
