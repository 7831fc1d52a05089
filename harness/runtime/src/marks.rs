//! The stopwatch that stands between two clock reads: no allocation, no I/O, no lock.

use lumos_model::phase::{Phase, Phases};
use lumos_os::clock::monotonic_ns;

/// Collects the phases of one invocation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    phases: Phases,
}

impl Marks {
    /// Runs `work` and counts its time as `phase`.
    #[inline]
    pub fn span<T>(&mut self, phase: Phase, work: impl FnOnce() -> T) -> T {
        let start = monotonic_ns();
        let result = work();
        self.phases.add(phase, monotonic_ns() - start);
        result
    }

    /// Counts `ns` nanoseconds as `phase`.
    #[inline]
    pub fn add(&mut self, phase: Phase, ns: u64) {
        self.phases.add(phase, ns);
    }

    /// What was counted so far.
    pub fn phases(&self) -> &Phases {
        &self.phases
    }

    /// What was counted so far, to add to.
    pub fn phases_mut(&mut self) -> &mut Phases {
        &mut self.phases
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.phases = Phases::default();
    }
}
