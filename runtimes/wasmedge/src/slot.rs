//! What the watchdog knows of an instance.

use std::sync::atomic::{AtomicI32, AtomicU64, Ordering::SeqCst};

use crate::guest_code::GuestCode;
use crate::maps::CodeHome;
use crate::stop_token::StopToken;

const IDLE: u64 = 0;
const FIRING: u64 = u64::MAX;

/// The state of an instance's invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No invocation runs.
    Idle,
    /// An invocation runs until this deadline, in nanoseconds of the monotonic clock.
    Armed(u64),
    /// The deadline has passed and the invocation is being stopped.
    Firing,
}

/// What the watchdog knows of an instance.
///
/// A slot passes from armed to idle (by the invocation) or to firing (by the watchdog) by
/// compare and exchange, so a late watchdog cannot hit a later invocation.
pub(crate) struct Slot {
    state: AtomicU64,
    /// The kernel's id of the thread that invokes.
    pub thread: AtomicI32,
    /// Attempts to stop the invocation so far.
    pub attempts: AtomicI32,
    pub home: CodeHome,
    /// The guest's compiled code; known once the slot is firing.
    pub code: GuestCode,
    pub stop: StopToken,
}

impl Slot {
    /// An idle slot of an instance whose compiled code lies in `home` and whose executor has
    /// the token `stop`.
    pub fn new(home: CodeHome, stop: StopToken) -> Self {
        Self {
            state: AtomicU64::new(IDLE),
            thread: AtomicI32::new(0),
            attempts: AtomicI32::new(0),
            home,
            code: GuestCode::default(),
            stop,
        }
    }

    pub fn state(&self) -> State {
        match self.state.load(SeqCst) {
            IDLE => State::Idle,
            FIRING => State::Firing,
            deadline_ns => State::Armed(deadline_ns),
        }
    }

    /// Arms the slot. Returns the deadline, moved by a nanosecond if it is no valid state.
    #[inline]
    pub fn arm(&self, deadline_ns: u64) -> u64 {
        let deadline_ns = deadline_ns.clamp(IDLE + 1, FIRING - 1);
        self.state.store(deadline_ns, SeqCst);
        deadline_ns
    }

    /// Makes an armed slot idle. Returns `false` if it is firing, and then leaves it so.
    #[inline]
    pub fn disarm(&self) -> bool {
        let armed = self.state.load(SeqCst);
        armed != FIRING && self.state.compare_exchange(armed, IDLE, SeqCst, SeqCst).is_ok()
    }

    /// Starts to stop the invocation that was armed with `deadline_ns`. Returns whether it is
    /// still that one.
    pub fn begin_firing(&self, deadline_ns: u64) -> bool {
        self.state.compare_exchange(deadline_ns, FIRING, SeqCst, SeqCst).is_ok()
    }

    /// Makes a firing slot idle.
    pub fn end_firing(&self) {
        self.code.clear();
        self.attempts.store(0, SeqCst);
        self.state.store(IDLE, SeqCst);
    }
}
