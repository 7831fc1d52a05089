//! The pacer of an event loop.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::sys::timer::{Expiration, TimerSetTimeFlags};
use nix::sys::timerfd::{ClockId, TimerFd, TimerFlags};

use super::exact_timers;
use super::window::Window;
use crate::clock::SECOND;

/// Tells an event loop how long it may poll before something is due.
///
/// Its descriptor belongs into the loop's poll. It becomes readable (a new edge each time)
/// shortly before the time, from where on the loop polls without waiting, so that what
/// arrives meanwhile is seen when it arrives.
#[derive(Debug)]
pub struct LoopPacer {
    timer: TimerFd,
    armed_ns: Option<u64>,
    window: Window,
}

impl LoopPacer {
    /// A pacer for the calling thread's loop; the thread's timer slack becomes 1 ns.
    ///
    /// # Errors
    /// When the kernel refuses the timer or the timer slack.
    pub fn new() -> Result<Self, Errno> {
        exact_timers()?;
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        Ok(Self { timer, armed_ns: None, window: Window::new() })
    }

    /// How long to poll at `now_ns` when the next thing is due at `due_ns`: not at all, or
    /// (`None`) until something happens, the timer included. With nothing due it is always
    /// `None`.
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
            // The first look after the timer's time.
            self.window.woke(late_ns);
            self.armed_ns = None;
        }
        let wake_ns = due_ns.saturating_sub(self.window.ns());
        if wake_ns <= now_ns {
            return Ok(Some(Duration::ZERO));
        }
        if self.armed_ns != Some(wake_ns) {
            let at = TimeSpec::new((wake_ns / SECOND) as _, (wake_ns % SECOND) as _);
            self.timer.set(Expiration::OneShot(at), TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
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
