//! How long before a time a sleep must end.

use super::Pacer;

/// The longest window, in nanoseconds.
const MOST_NS: u64 = 2_000_000;
/// With each wake-up in time, the window comes nearer to the least by one part in so many.
const FORGET: u64 = 1024;

/// The part of a wait that is spun. A sleeping CPU comes back after some 50 us; a virtual
/// one whose host has other work may take milliseconds, and then a window that is too short
/// makes every send late. So the window becomes twice what a wake-up was late, and shrinks
/// slowly. Above 500 a second that is, on such a machine, not to sleep at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    ns: u64,
}

impl Window {
    /// The least window; none where this process may use one CPU only.
    pub fn new() -> Self {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Self { ns: if cpus > 1 { LEAST_NS } else { 0 } }
    }

    /// A wait without spinning.
    #[cfg(test)]
    pub const fn none() -> Self {
        Self { ns: 0 }
    }

    /// Its length in nanoseconds; zero: there is no spinning.
    pub const fn ns(self) -> u64 {
        self.ns
    }

    /// A sleep ended so much later than it was to.
    pub fn woke(&mut self, late_ns: u64) {
        if self.ns == 0 {
            return;
        }
        if late_ns > self.ns / 2 {
            self.ns = late_ns.saturating_mul(2).clamp(self.ns, MOST_NS);
        } else {
            self.ns -= (self.ns - LEAST_NS) / FORGET;
        }
    }
}

const LEAST_NS: u64 = Pacer::SPIN.as_nanos() as u64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_follows_what_wake_ups_take() {
        let mut window = Window { ns: LEAST_NS };
        window.woke(LEAST_NS / 2);
        assert_eq!(window.ns(), LEAST_NS);
        window.woke(300_000);
        assert_eq!(window.ns(), 600_000);
        window.woke(10_000_000);
        assert_eq!(window.ns(), MOST_NS);
        window.woke(0);
        assert!(window.ns() < MOST_NS && window.ns() > MOST_NS - MOST_NS / 100);
        (0..100_000).for_each(|_| window.woke(0));
        assert!(window.ns() < LEAST_NS + FORGET);
        let mut none = Window::none();
        none.woke(1_000_000);
        assert_eq!(none.ns(), 0, "one CPU is the server's too");
    }
}
