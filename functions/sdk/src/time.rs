//! The guest's stopwatch.

use std::time::Instant;

use lumos_wire::phases::{GuestPhase, GuestPhases};

/// Nanoseconds since `started`; a `u64` holds 584 years of them.
pub(crate) fn nanoseconds_since(started: Instant) -> u64 {
    started.elapsed().as_nanos() as u64
}

/// Runs `work` and adds its time to `phase`.
pub(crate) fn timed<T>(phases: &mut GuestPhases, phase: GuestPhase, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    phases.add(phase, nanoseconds_since(started));
    result
}

/// A stopwatch whose laps leave no gap.
pub(crate) struct Lap(Instant);

impl Lap {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Nanoseconds since the previous lap.
    pub fn next(&mut self) -> u64 {
        let now = Instant::now();
        let ns = now.duration_since(self.0).as_nanos() as u64;
        self.0 = now;
        ns
    }
}
