//! The clock of intended, sent and answered times.

use nix::time::{ClockId, clock_gettime};

/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;

/// Now, in nanoseconds of `CLOCK_MONOTONIC`, which is one for all processes of a machine
/// (clock_gettime(2)).
pub fn now_ns() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a clock that every Linux has");
    time.tv_sec() as u64 * SECOND + time.tv_nsec() as u64
}
