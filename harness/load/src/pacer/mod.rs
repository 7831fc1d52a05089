//! Waits until a time, exactly, and records how late the wait ended.
//!
//! A sleep ends some 50 us after the time it was asked for, however fine the clock is. So the
//! pacer sleeps, with the least timer slack, until [`Pacer::SPIN`] or more before the due
//! time, depending on how late wake-ups have been on this machine. Then it spins: it reads the
//! clock until the time has come. [`Pacer`] is for a thread that has nothing else to do,
//! [`LoopPacer`] for an event loop, which must see responses when they arrive and not after a
//! spin.
//!
//! A server on the same machine may want the CPU at the due time. The sender takes precedence
//! if it may raise its priority ([`lumos_os::priority`]).
//!
//! If this process may use only one CPU, spinning would take that CPU from the server under
//! test. The pacer then sleeps until the due time and is late by some 50 us, which it records
//! like any lateness.
//!
//! | module | contents |
//! |---|---|
//! | `thread` | [`Pacer`] |
//! | `event_loop` | [`LoopPacer`] |
//! | `lateness` | the recorded lateness |
//! | `window` | how long to spin |
//! | `sleep` | exact sleeps |

mod event_loop;
mod lateness;
mod sleep;
mod thread;
mod window;

pub use self::event_loop::LoopPacer;
pub use self::lateness::{LATE, Lateness, SendError};
pub use self::thread::Pacer;
