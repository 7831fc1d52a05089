//! The pacer of an event loop.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::timer::{Expiration, TimerSetTimeFlags};
use nix::sys::timerfd::{ClockId, TimerFd, TimerFlags};

use super::sleep::{minimise_timer_slack, time_spec};
use super::window::Window;

/// Decides how long an event loop may poll before something is due.
///
/// The loop must poll the pacer's descriptor. It becomes readable, with a new edge each time,
/// shortly before the due time. From then on the loop polls without waiting, so that it sees
/// events as soon as they occur.
#[derive(Debug)]
pub struct LoopPacer {
    timer: TimerFd,
    armed_ns: Option<u64>,
    window: Window,
}

impl LoopPacer {
    /// A pacer for the event loop of the calling thread. Sets the thread's timer slack to 1 ns.
    ///
    /// # Errors
    /// When the kernel refuses the timer or the timer slack.
    pub fn new() -> Result<Self, Errno> {
        minimise_timer_slack()?;
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        Ok(Self { timer, armed_ns: None, window: Window::new() })
    }

    /// How long to poll at `now_ns` if the next request is due at `due_ns`: zero, or `None` to
    /// wait for the next event, of which the timer is one. With nothing due, always `None`.
    ///
    /// # Errors
    /// When the timer cannot be set.
    pub fn poll_for(
        &mut self,
        now_ns: u64,
        due_ns: Option<u64>,
    ) -> Result<Option<Duration>, Errno> {
        let Some(due_ns) = due_ns else { return Ok(None) };
        if let Some(late_ns) = self.armed_ns.and_then(|armed_ns| now_ns.checked_sub(armed_ns)) {
            // The first call after the timer has expired.
            self.window.woke(late_ns);
            self.armed_ns = None;
        }
        let wake_ns = due_ns.saturating_sub(self.window.ns());
        if wake_ns <= now_ns {
            return Ok(Some(Duration::ZERO));
        }
        if self.armed_ns != Some(wake_ns) {
            let at = Expiration::OneShot(time_spec(wake_ns));
            self.timer.set(at, TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
            self.armed_ns = Some(wake_ns);
        }
        Ok(None)
    }
}

impl AsFd for LoopPacer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}

impl AsRawFd for LoopPacer {
    fn as_raw_fd(&self) -> RawFd {
        self.timer.as_fd().as_raw_fd()
    }
}
