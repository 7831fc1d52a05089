//! Waiting for the next request without sleeping, for a little while.
//!
//! Where few clients send one request after the other, most of the time between two requests
//! is spent on waking up: a sleeping core takes some 50 us to come back. So a thread of the
//! event loop that has nothing to do looks at the sockets for a while before it sleeps.
//!
//! How long is found out as KVM does it for halted guests (Documentation/virt/kvm/halt-polling.rst
//! of the Linux kernel): longer when the next request came so soon that more looking would
//! have met it, not at all when looking was in vain too often. With as many clients as cores,
//! or more, it is never done: somebody else wants the core.

use std::cell::Cell;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::monotonic_ns;

/// The shortest time that is worth looking.
const LEAST_NS: u64 = 10_000;
/// What a sleeping core takes to come back, at most: a wait that was so much longer than
/// what may be looked could have been met.
const WAKE_UP_NS: u64 = 100_000;
/// So many waits are slept through after looking was in vain too often.
const PENALTY: u32 = 64;
/// What a look in vain costs of the credit that one in time earns: one in five may be in
/// vain. Clients are interrupted now and then.
const COST: u32 = 4;
/// The highest credit, so that who has left is not looked for much longer.
const MOST_CREDIT: u32 = 4 * COST;
/// More sockets than these are not looked at, whatever the machine has of cores.
const MOST_SOCKETS: usize = 8;

/// What the threads of an event loop look at before they sleep.
#[derive(Debug)]
pub struct BusyPoll {
    most_ns: u64,
    most_sockets: usize,
    family: Arc<Family>,
    looking: AtomicBool,
    sockets: Mutex<Vec<RawFd>>,
}

/// What all event loops have together.
#[derive(Debug, Default)]
struct Family {
    /// Sockets that are looked at.
    open: AtomicUsize,
    /// Requests that are served on other threads.
    elsewhere: AtomicUsize,
}

/// What one thread has learnt.
#[derive(Clone, Copy, Debug, Default)]
struct Lesson {
    /// How long it looks before it sleeps.
    window_ns: u64,
    /// Waits that it still sleeps through.
    penalty: u32,
    /// When this wait began; zero: nothing is learnt from it.
    began_ns: u64,
    met: bool,
    credit: u32,
}

impl Lesson {
    /// After a wait of `waited_ns`.
    fn learn(&mut self, waited_ns: u64, most_ns: u64) {
        if self.met {
            self.credit = (self.credit + 1).min(MOST_CREDIT);
        } else if self.penalty > 0 {
            self.penalty -= 1;
        } else if self.window_ns >= most_ns {
            match self.credit.checked_sub(COST) {
                Some(left) => self.credit = left,
                None => *self = Self { penalty: PENALTY, ..Self::default() },
            }
        } else if waited_ns <= most_ns + WAKE_UP_NS {
            self.window_ns = (self.window_ns * 2).clamp(LEAST_NS.min(most_ns), most_ns);
        } else {
            self.window_ns = 0;
        }
    }
}

thread_local! {
    static LESSON: Cell<Lesson> = Cell::default();
}

impl BusyPoll {
    /// For `loops` event loops, of which each looks for `most` at a time, on a machine that
    /// gives this process `cores` cores.
    pub fn family(most: Duration, cores: usize, loops: usize) -> Vec<Arc<Self>> {
        let family = Arc::<Family>::default();
        let one = |_| Self {
            most_ns: most.as_nanos() as u64,
            most_sockets: cores.saturating_sub(1).min(MOST_SOCKETS),
            family: Arc::clone(&family),
            looking: AtomicBool::new(false),
            sockets: Mutex::default(),
        };
        (0..loops).map(one).map(Arc::new).collect()
    }

    /// Whether it is ever done.
    pub fn is_wanted(&self) -> bool {
        self.most_ns > 0 && self.most_sockets > 0
    }

    /// Has `socket` looked at until the result is dropped.
    pub fn watch(&self, socket: RawFd) -> Watched<'_> {
        self.lock().push(socket);
        self.family.open.fetch_add(1, Ordering::Relaxed);
        Watched { of: self, socket }
    }

    /// Says that a request is served on another thread until the result is dropped: that
    /// thread wants the core, and what it wakes is no socket.
    pub fn serve_elsewhere(&self) -> Elsewhere<'_> {
        self.family.elsewhere.fetch_add(1, Ordering::Relaxed);
        Elsewhere(&self.family)
    }

    /// To be called by a thread that has nothing to do; returns when there may be something,
    /// or when it is time to sleep.
    pub fn before_sleep(&self) {
        let Family { open, elsewhere } = &*self.family;
        let open = open.load(Ordering::Relaxed);
        let mut lesson = LESSON.get();
        (lesson.began_ns, lesson.met) = (0, false);
        let useful = open > 0
            && open <= self.most_sockets
            && elsewhere.load(Ordering::Relaxed) == 0
            && !self.lock().is_empty();
        if useful {
            lesson.began_ns = monotonic_ns();
            if lesson.window_ns > 0 && !self.looking.swap(true, Ordering::Acquire) {
                lesson.met = self.look(lesson.began_ns + lesson.window_ns);
                self.looking.store(false, Ordering::Release);
            }
        }
        LESSON.set(lesson);
    }

    /// To be called when the thread goes on.
    pub fn after_sleep(&self) {
        let mut lesson = LESSON.get();
        if lesson.began_ns > 0 {
            lesson.learn(monotonic_ns() - lesson.began_ns, self.most_ns);
            LESSON.set(lesson);
        }
    }

    /// Looks until a socket has something, or the time has come.
    fn look(&self, until_ns: u64) -> bool {
        let nothing = libc::pollfd { fd: -1, events: libc::POLLIN, revents: 0 };
        let mut polled = [nothing; MOST_SOCKETS];
        for (polled, socket) in polled.iter_mut().zip(self.lock().iter()) {
            polled.fd = *socket;
        }
        loop {
            // SAFETY: the array outlives the call and has so many entries. A socket that was
            // closed meanwhile is told as such, and ends the looking.
            let ready = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, 0) };
            if ready != 0 {
                return true;
            }
            if monotonic_ns() >= until_ns {
                return false;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<RawFd>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket that is looked at.
#[derive(Debug)]
pub struct Watched<'b> {
    of: &'b BusyPoll,
    socket: RawFd,
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        let mut sockets = self.of.lock();
        if let Some(at) = sockets.iter().position(|socket| *socket == self.socket) {
            sockets.swap_remove(at);
        }
        self.of.family.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request that is served on another thread.
#[derive(Debug)]
pub struct Elsewhere<'b>(&'b Family);

impl Drop for Elsewhere<'_> {
    fn drop(&mut self) {
        self.0.elsewhere.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: u64 = 50_000;

    #[test]
    fn short_waits_make_it_look_longer_and_a_look_in_vain_ends_it() {
        let mut lesson = Lesson::default();
        let mut windows = Vec::new();
        for _ in 0..5 {
            lesson.learn(60_000, MOST);
            windows.push(lesson.window_ns);
        }
        assert_eq!(windows, [10_000, 20_000, 40_000, 50_000, 0]);
        for _ in 0..PENALTY {
            lesson.learn(60_000, MOST);
            assert_eq!(lesson.window_ns, 0);
        }
        lesson.learn(60_000, MOST);
        assert_eq!(lesson.window_ns, LEAST_NS);
    }

    #[test]
    fn long_waits_are_slept_through() {
        let mut lesson = Lesson { window_ns: 20_000, ..Lesson::default() };
        lesson.learn(1_000_000, MOST);
        assert_eq!(lesson.window_ns, 0);
        lesson.learn(1_000_000, MOST);
        assert_eq!(lesson.window_ns, 0);
    }

    #[test]
    fn a_look_in_vain_now_and_then_is_made_up_for() {
        let full = Lesson { window_ns: MOST, ..Lesson::default() };
        let mut lesson = full;
        for _ in 0..100 {
            for _ in 0..COST {
                lesson.met = true;
                lesson.learn(20_000, MOST);
            }
            lesson.met = false;
            lesson.learn(1_000_000, MOST);
            assert_eq!((lesson.window_ns, lesson.penalty), (MOST, 0));
        }
        lesson.learn(1_000_000, MOST);
        assert_eq!((lesson.window_ns, lesson.penalty), (0, PENALTY));
    }

    #[test]
    fn a_look_in_time_changes_no_window() {
        let met = Lesson { window_ns: 40_000, met: true, ..Lesson::default() };
        let mut after = met;
        after.learn(1_000_000, MOST);
        assert_eq!(after.window_ns, met.window_ns);
    }

    #[test]
    fn one_core_is_never_kept_busy_and_two_only_for_one_client() {
        let one_of = |most, cores| BusyPoll::family(most, cores, 2).remove(0);
        assert!(!one_of(Duration::from_micros(50), 1).is_wanted());
        assert!(!one_of(Duration::ZERO, 4).is_wanted());
        let busy = one_of(Duration::from_micros(50), 2);
        assert!(busy.is_wanted());
        assert_eq!(busy.most_sockets, 1);
    }
}
