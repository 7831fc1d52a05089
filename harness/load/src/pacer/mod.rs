//! Waits until a time, exactly, and says how late it was.
//!
//! A sleep that is said to end at a time ends some 50 us after it, however fine the clock
//! is. So the pacer sleeps on an absolute time with the least timer slack
//! (`PR_SET_TIMERSLACK`, prctl(2)) until [`Pacer::SPIN`] or more before the time, as it has
//! learnt that wake-ups take here, and reads the clock over and over for the rest. [`Pacer`]
//! does so for a thread that has nothing else to do, [`LoopPacer`] for an event loop, which
//! must see responses when they arrive and not after a spin.
//!
//! A server that shares the machine may want the CPU at the time; who sends goes first if it
//! may ([`lumos_os::priority`]).
//!
//! Where this process may use one CPU only, a spin would take that CPU from the server that
//! is measured. There the pacer sleeps to the time itself and is late by some 50 us, which it
//! reports as it reports all lateness.

mod event_loop;
mod lateness;
mod window;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};

pub use self::event_loop::LoopPacer;
pub use self::lateness::{LATE, Lateness, SendError};
use self::window::Window;
use crate::clock::{SECOND, now_ns};

/// How often a wait that can be stopped looks whether it is.
const LOOK: u64 = SECOND / 20;

/// Waits for intended times on the calling thread.
#[derive(Debug)]
pub struct Pacer {
    window: Window,
    lateness: Lateness,
}

impl Pacer {
    /// How long before the time the sleep ends, at least.
    pub const SPIN: Duration = Duration::from_micros(50);

    /// A pacer for the calling thread, whose timer slack becomes 1 ns.
    ///
    /// # Errors
    /// When the kernel refuses the timer slack.
    pub fn new() -> Result<Self, Errno> {
        exact_timers()?;
        Ok(Self { window: Window::new(), lateness: Lateness::new() })
    }

    /// Returns at `due_ns`, or at once if that is over, with the time that it is then. Never
    /// returns early. The lateness is recorded.
    pub fn wait_until(&mut self, due_ns: u64) -> u64 {
        let spin_from = due_ns.saturating_sub(self.window.ns());
        if now_ns() < spin_from {
            self.sleep_until(spin_from);
        }
        self.spin(due_ns)
    }

    /// As [`Self::wait_until`]; `None`: somebody set `stop` meanwhile, which is seen within
    /// 50 ms.
    pub fn wait_until_or(&mut self, due_ns: u64, stop: &AtomicBool) -> Option<u64> {
        let spin_from = due_ns.saturating_sub(self.window.ns());
        loop {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let now = now_ns();
            if now >= spin_from {
                return Some(self.spin(due_ns));
            }
            self.sleep_until(spin_from.min(now + LOOK));
        }
    }

    /// How late it was.
    pub fn lateness(&self) -> &Lateness {
        &self.lateness
    }

    fn sleep_until(&mut self, at_ns: u64) {
        sleep_until(at_ns);
        self.window.woke(now_ns().saturating_sub(at_ns));
    }

    fn spin(&mut self, due_ns: u64) -> u64 {
        loop {
            let now = now_ns();
            if now >= due_ns {
                self.lateness.record(now - due_ns);
                return now;
            }
            if self.window.ns() == 0 {
                sleep_until(due_ns);
            } else {
                std::hint::spin_loop();
            }
        }
    }
}

/// Sets the calling thread's timer slack to 1 ns, from the 50 us that threads have.
fn exact_timers() -> Result<(), Errno> {
    nix::sys::prctl::set_timerslack(1)
}

/// Sleeps until `at_ns`; not at all if that is over.
fn sleep_until(at_ns: u64) {
    let at = TimeSpec::new((at_ns / SECOND) as _, (at_ns % SECOND) as _);
    let absolute = ClockNanosleepFlags::TIMER_ABSTIME;
    while clock_nanosleep(ClockId::CLOCK_MONOTONIC, absolute, &at) == Err(Errno::EINTR) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_never_ends_early_and_each_is_recorded() {
        let mut pacer = Pacer::new().unwrap();
        for step in [0, 1_000, 60_000, 200_000, 3_000_000] {
            let due = now_ns() + step;
            assert!(pacer.wait_until(due) >= due);
        }
        pacer.wait_until(now_ns() - 2 * SECOND);
        let error = pacer.lateness().send_error();
        assert_eq!(error.sends, 6);
        assert!(error.late >= 1 && error.max_ns >= 2 * SECOND, "{error:?}");
    }

    #[test]
    fn without_a_spin_it_is_not_early_either() {
        let mut pacer = Pacer { window: Window::none(), lateness: Lateness::new() };
        let due = now_ns() + 100_000;
        assert!(pacer.wait_until(due) >= due);
    }

    #[test]
    fn a_wait_can_be_stopped() {
        let mut pacer = Pacer::new().unwrap();
        let stop = AtomicBool::new(true);
        assert_eq!(pacer.wait_until_or(u64::MAX, &stop), None);
        stop.store(false, Ordering::Relaxed);
        assert!(pacer.wait_until_or(now_ns() + 1_000, &stop).is_some());
        assert_eq!(pacer.lateness().send_error().sends, 1);
    }
}
