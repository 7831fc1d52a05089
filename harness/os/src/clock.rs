//! The clocks of all measurements.
//!
//! All processes of a machine share `CLOCK_MONOTONIC` (clock_gettime(2)), so time stamps of host
//! and instance may be subtracted. The CPU-time clocks are exact to the nanosecond; `getrusage`
//! advances in ticks while a thread runs.
//!
//! Tests may replace these clocks by a simulated one; other builds do not contain it.

use std::time::Duration;

use nix::sys::time::TimeValLike;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

/// Now, in nanoseconds of `CLOCK_MONOTONIC`.
#[inline]
pub fn monotonic_ns() -> u64 {
    read(ClockId::CLOCK_MONOTONIC)
}

/// CPU time of the calling thread in nanoseconds. A system call of about 0.6 us.
#[inline]
pub fn thread_cpu_ns() -> u64 {
    read(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

/// CPU time of all threads of this process in nanoseconds.
#[inline]
pub fn process_cpu_ns() -> u64 {
    read(ClockId::CLOCK_PROCESS_CPUTIME_ID)
}

/// CPU time of another process in nanoseconds; `None` if the process no longer exists.
pub fn cpu_ns_of(pid: Pid) -> Option<u64> {
    let clock = ClockId::pid_cpu_clock_id(pid).ok()?;
    clock_gettime(clock).ok().map(|time| time.num_nanoseconds() as u64)
}

/// Sleeps for `duration`.
pub fn sleep(duration: Duration) {
    #[cfg(any(test, feature = "simulated-clock"))]
    if crate::simulated::sleep(duration) {
        return;
    }
    std::thread::sleep(duration);
}

#[inline]
fn read(clock: ClockId) -> u64 {
    #[cfg(any(test, feature = "simulated-clock"))]
    if let Some(ns) = crate::simulated::read(clock) {
        return ns;
    }
    let time = clock_gettime(clock).expect("every Linux has this clock");
    time.num_nanoseconds() as u64
}
