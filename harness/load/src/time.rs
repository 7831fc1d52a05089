//! Nanoseconds, the unit of all times in this crate.

use std::time::Duration;

/// Nanoseconds in a second.
pub(crate) const SECOND: u64 = 1_000_000_000;

/// A duration in nanoseconds; `u64::MAX` (584 years) if it is longer.
pub(crate) fn whole_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
