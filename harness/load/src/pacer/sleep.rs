//! Exact sleeps.

use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};

use crate::time::SECOND;

/// Sets the timer slack of the calling thread to 1 ns; the default is 50 us
/// (`PR_SET_TIMERSLACK`, prctl(2)).
pub(super) fn minimise_timer_slack() -> Result<(), Errno> {
    nix::sys::prctl::set_timerslack(1)
}

/// Sleeps until `at_ns`; returns at once if that time has passed.
pub(super) fn sleep_until(at_ns: u64) {
    let absolute = ClockNanosleepFlags::TIMER_ABSTIME;
    let at = time_spec(at_ns);
    while clock_nanosleep(ClockId::CLOCK_MONOTONIC, absolute, &at) == Err(Errno::EINTR) {}
}

pub(super) fn time_spec(ns: u64) -> TimeSpec {
    TimeSpec::new((ns / SECOND) as _, (ns % SECOND) as _)
}
