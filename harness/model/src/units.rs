//! Quantities as people write them: `512MiB`, `100ms`, and checked numbers.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Text that cannot be read as the expected quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}; write for example {example}")]
pub struct BadQuantity {
    text: String,
    what: &'static str,
    example: &'static str,
}

impl BadQuantity {
    fn new(text: impl Into<String>, what: &'static str, example: &'static str) -> Self {
        Self { text: text.into(), what, example }
    }
}

/// A number of bytes. Written `512MiB`, `64KiB`, `2GiB`, `100MB` or `4096B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ByteSize(pub u64);

const BYTE_UNITS: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// A length of time. Written `60s`, `100ms`, `50us`, `10ns`, `5m` or `2h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(pub Duration);

const TIME_UNITS: [(&str, u64); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Splits `text` into a number and a unit and multiplies them.
fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let number = number.trim();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(*factor);
    }
    let value = number.parse::<f64>().ok()? * *factor as f64;
    (value.is_finite() && (0.0..u64::MAX as f64).contains(&value)).then_some(value as u64)
}

/// Writes `value` in the largest unit that leaves no remainder.
fn write(f: &mut fmt::Formatter<'_>, value: u64, units: &[(&str, u64)]) -> fmt::Result {
    let (name, factor) = units
        .iter()
        .filter(|(_, factor)| value != 0 && value.is_multiple_of(*factor))
        .max_by_key(|(_, factor)| *factor)
        .unwrap_or(&units[units.len() - 1]);
    write!(f, "{}{name}", value / factor)
}

impl FromStr for ByteSize {
    type Err = BadQuantity;

    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        parse(text, &BYTE_UNITS)
            .map(Self)
            .ok_or_else(|| BadQuantity::new(text, "size in bytes", "512MiB, 64KiB or 4096B"))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, &BYTE_UNITS)
    }
}

impl FromStr for Span {
    type Err = BadQuantity;

    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        parse(text, &TIME_UNITS)
            .map(|ns| Self(Duration::from_nanos(ns)))
            .ok_or_else(|| BadQuantity::new(text, "length of time", "60s, 100ms or 50us"))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u64::try_from(self.0.as_nanos()) {
            Ok(0) => f.write_str("0s"),
            Ok(ns) => write(f, ns, &TIME_UNITS),
            Err(_) => write!(f, "{}s", self.0.as_secs()),
        }
    }
}

macro_rules! string_serde {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = BadQuantity;
            fn try_from(text: String) -> Result<Self, BadQuantity> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    };
}
string_serde!(ByteSize);
string_serde!(Span);

/// Declares a number whose range is checked when it is made. It has a total order, and it is a
/// plain number in files and on the command line.
macro_rules! number {
    ($(#[$meta:meta])* $name:ident, $range:expr, $what:literal, $example:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// `None` if the value is out of range, infinite or NaN.
            pub fn new(value: f64) -> Option<Self> {
                // Adding zero turns -0.0 into 0.0, so that equal numbers have equal bits.
                (value.is_finite() && $range.contains(&value)).then_some(Self(value + 0.0))
            }

            /// The plain number.
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.cmp(other).is_eq()
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.0.total_cmp(&other.0)
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.to_bits().hash(state);
            }
        }

        impl TryFrom<f64> for $name {
            type Error = BadQuantity;
            fn try_from(value: f64) -> Result<Self, BadQuantity> {
                Self::new(value).ok_or_else(|| BadQuantity::new(value.to_string(), $what, $example))
            }
        }

        impl From<$name> for f64 {
            fn from(number: $name) -> f64 {
                number.0
            }
        }

        impl FromStr for $name {
            type Err = BadQuantity;
            fn from_str(text: &str) -> Result<Self, BadQuantity> {
                let number = text.parse().ok().and_then(Self::new);
                number.ok_or_else(|| BadQuantity::new(text, $what, $example))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// Requests a second; zero is allowed.
    Rate, (0.0..), "rate", "100 or 0.5"
}

number! {
    /// A part of a whole, from 0 to 1.
    Share, (0.0..=1.0), "share from 0 to 1", "0.1"
}

number! {
    /// How many times as many, or as fast: above 0.
    Factor, (f64::MIN_POSITIVE..), "factor above 0", "2 or 0.5"
}

impl Share {
    /// Nothing of the whole.
    pub const ZERO: Share = Share(0.0);
}

impl Factor {
    /// Unchanged.
    pub const ONE: Factor = Factor(1.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_reads_back_as_it_was_written() {
        for (text, bytes) in [("512MiB", 512 << 20), ("64KiB", 65536), ("100MB", 100_000_000)] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)));
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
        assert_eq!("1.5GiB".parse(), Ok(ByteSize(3 << 29)));
        for (text, ms) in [("60s", 60_000), ("100ms", 100), ("0s", 0)] {
            assert_eq!(text.parse(), Ok(Span(Duration::from_millis(ms))));
        }
        assert_eq!(Span(Duration::from_millis(1500)).to_string(), "1500ms");
        assert_eq!(Span(Duration::ZERO).to_string(), "0s");
    }

    #[test]
    fn rejects_text_without_a_known_unit() {
        for text in ["", "12", "MiB", "-1s", "1 fortnight", "1e400s", "NaNs", "99999999999h"] {
            assert!(text.parse::<Span>().is_err(), "{text} was read as a time");
            assert!(text.parse::<ByteSize>().is_err(), "{text} was read as a size");
        }
    }

    #[test]
    fn numbers_have_a_range_and_an_order() {
        for wrong in ["-1", "inf", "NaN", "", "ten"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong} was accepted as a rate");
            assert!(wrong.parse::<Share>().is_err(), "{wrong} was accepted as a share");
            assert!(wrong.parse::<Factor>().is_err(), "{wrong} was accepted as a factor");
        }
        assert!("1.5".parse::<Share>().is_err() && "1".parse::<Share>().is_ok());
        assert!("0".parse::<Factor>().is_err() && "0".parse::<Rate>().is_ok());
        let rate = |text: &str| text.parse::<Rate>().unwrap();
        assert!(rate("0.5") < rate("10"));
        assert_eq!(Rate::new(-0.0), Rate::new(0.0));
        assert_eq!(rate("100").to_string(), "100");
        assert_eq!((Share::new(0.0), Factor::new(1.0)), (Some(Share::ZERO), Some(Factor::ONE)));
    }

    #[test]
    fn numbers_are_plain_numbers_in_json() {
        assert_eq!(serde_json::to_string(&Share::new(0.25)).unwrap(), "0.25");
        assert_eq!(serde_json::from_str::<Factor>("2").unwrap().get(), 2.0);
        let error = serde_json::from_str::<Share>("1.5").unwrap_err().to_string();
        assert!(error.contains("`1.5` is not a share from 0 to 1"), "{error}");
    }
}
