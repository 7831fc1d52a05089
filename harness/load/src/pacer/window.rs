//! How long before a due time a sleep must end.

use std::time::Duration;

/// The shortest window.
pub(super) const SHORTEST: Duration = Duration::from_micros(50);
const SHORTEST_NS: u64 = SHORTEST.as_nanos() as u64;
/// The longest window, in nanoseconds.
const LONGEST_NS: u64 = 2_000_000;
/// Each wake-up in time shrinks the excess over the shortest window by this fraction.
const DECAY: u64 = 1024;

/// The part of a wait that is spent spinning. A sleeping CPU wakes after some 50 us; a virtual
/// CPU whose host is busy may take milliseconds, and a window that is too short makes every
/// send late. So the window grows to twice the lateness of a wake-up, and shrinks slowly. On
/// such a machine, above 500 requests a second, there is no sleep at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    ns: u64,
}

impl Window {
    /// The shortest window; none if this process may use only one CPU.
    pub fn new() -> Self {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Self { ns: if cpus > 1 { SHORTEST_NS } else { 0 } }
    }

    /// A wait without spinning.
    #[cfg(test)]
    pub const fn none() -> Self {
        Self { ns: 0 }
    }

    /// The length in nanoseconds; zero without spinning.
    pub const fn ns(self) -> u64 {
        self.ns
    }

    /// Notes that a sleep ended this much later than asked.
    pub fn woke(&mut self, late_ns: u64) {
        if self.ns == 0 {
            return;
        }
        if late_ns > self.ns / 2 {
            self.ns = late_ns.saturating_mul(2).clamp(self.ns, LONGEST_NS);
        } else {
            self.ns -= (self.ns - SHORTEST_NS) / DECAY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_follows_the_lateness_of_wake_ups() {
        let mut window = Window { ns: SHORTEST_NS };
        window.woke(SHORTEST_NS / 2);
        assert_eq!(window.ns(), SHORTEST_NS);
        window.woke(300_000);
        assert_eq!(window.ns(), 600_000);
        window.woke(10_000_000);
        assert_eq!(window.ns(), LONGEST_NS);
        window.woke(0);
        assert!(window.ns() < LONGEST_NS && window.ns() > LONGEST_NS - LONGEST_NS / 100);
        (0..100_000).for_each(|_| window.woke(0));
        assert!(window.ns() < SHORTEST_NS + DECAY);
        let mut none = Window::none();
        none.woke(1_000_000);
        assert_eq!(none.ns(), 0, "the server needs the only CPU");
    }
}
