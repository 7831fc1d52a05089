//! The pacer of a thread that has nothing else to do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lumos_os::clock::monotonic_ns;
use nix::errno::Errno;

use super::lateness::Lateness;
use super::sleep::{minimise_timer_slack, sleep_until};
use super::window::{self, Window};
use crate::time::SECOND;

/// How often a wait that can be stopped checks its flag, in nanoseconds.
const CHECK_NS: u64 = SECOND / 20;

/// Waits for intended times on the calling thread.
#[derive(Debug)]
pub struct Pacer {
    window: Window,
    lateness: Lateness,
}

impl Pacer {
    /// A sleep ends at least this long before the due time.
    pub const SPIN: Duration = window::SHORTEST;

    /// A pacer for the calling thread. Sets the thread's timer slack to 1 ns.
    ///
    /// # Errors
    /// When the kernel refuses the timer slack.
    pub fn new() -> Result<Self, Errno> {
        minimise_timer_slack()?;
        Ok(Self { window: Window::new(), lateness: Lateness::new() })
    }

    /// Waits until `due_ns`, returns the time after the wait, and records the lateness. Returns
    /// at once if the time has passed, but never early.
    pub fn wait_until(&mut self, due_ns: u64) -> u64 {
        let spin_from = due_ns.saturating_sub(self.window.ns());
        if monotonic_ns() < spin_from {
            self.sleep_until(spin_from);
        }
        self.spin(due_ns)
    }

    /// Like [`Self::wait_until`], but returns `None` within 50 ms after `stop` is set.
    pub fn wait_until_or(&mut self, due_ns: u64, stop: &AtomicBool) -> Option<u64> {
        let spin_from = due_ns.saturating_sub(self.window.ns());
        loop {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let now = monotonic_ns();
            if now >= spin_from {
                return Some(self.spin(due_ns));
            }
            self.sleep_until(spin_from.min(now + CHECK_NS));
        }
    }

    /// The lateness of all waits so far.
    pub fn lateness(&self) -> &Lateness {
        &self.lateness
    }

    fn sleep_until(&mut self, at_ns: u64) {
        sleep_until(at_ns);
        self.window.woke(monotonic_ns().saturating_sub(at_ns));
    }

    fn spin(&mut self, due_ns: u64) -> u64 {
        loop {
            let now = monotonic_ns();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_never_ends_early_and_its_lateness_is_recorded() {
        let mut pacer = Pacer::new().unwrap();
        for step in [0, 1_000, 60_000, 200_000, 3_000_000] {
            let due = monotonic_ns() + step;
            assert!(pacer.wait_until(due) >= due);
        }
        pacer.wait_until(monotonic_ns() - 2 * SECOND);
        let error = pacer.lateness().send_error();
        assert_eq!(error.sends, 6);
        assert!(error.late >= 1 && error.max_ns >= 2 * SECOND, "{error:?}");
    }

    #[test]
    fn a_wait_without_spinning_does_not_end_early() {
        let mut pacer = Pacer { window: Window::none(), lateness: Lateness::new() };
        let due = monotonic_ns() + 100_000;
        assert!(pacer.wait_until(due) >= due);
    }

    #[test]
    fn a_wait_can_be_stopped() {
        let mut pacer = Pacer::new().unwrap();
        let stop = AtomicBool::new(true);
        assert_eq!(pacer.wait_until_or(u64::MAX, &stop), None);
        stop.store(false, Ordering::Relaxed);
        assert!(pacer.wait_until_or(monotonic_ns() + 1_000, &stop).is_some());
        assert_eq!(pacer.lateness().send_error().sends, 1);
    }
}
