//! Measured values with their units.

/// The unit of a counter or of a measured value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Microseconds.
    Microseconds,
    /// Bytes.
    Bytes,
    /// Events without a unit.
    Count,
}

impl Unit {
    /// All units.
    pub const ALL: [Unit; 4] = [Unit::Nanoseconds, Unit::Microseconds, Unit::Bytes, Unit::Count];

    /// The ending of keys in files, such as `cpu_ns` and `rss_bytes`. Counts have none.
    const fn suffix(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "_ns",
            Unit::Microseconds => "_us",
            Unit::Bytes => "_bytes",
            Unit::Count => "",
        }
    }

    /// The key under which files hold a value called `name`: `median` is `median_ns`.
    pub fn key(self, name: &str) -> String {
        format!("{name}{}", self.suffix())
    }

    /// The unit of the value that files hold under `key`.
    pub fn of_key(key: &str) -> Unit {
        // A count is last in the list: its empty ending fits every key.
        Unit::ALL.into_iter().find(|unit| key.ends_with(unit.suffix())).unwrap_or(Unit::Count)
    }
}

/// A value in whole units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// The number.
    pub value: u64,
    /// What it counts.
    pub unit: Unit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_end_in_the_unit() {
        for (unit, key) in [
            (Unit::Nanoseconds, "median_ns"),
            (Unit::Microseconds, "median_us"),
            (Unit::Bytes, "median_bytes"),
            (Unit::Count, "median"),
        ] {
            assert_eq!(unit.key("median"), key);
            assert_eq!(Unit::of_key(key), unit);
        }
    }
}
