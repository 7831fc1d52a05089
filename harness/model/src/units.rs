//! Byte sizes and durations as people write them: `512MiB`, `100ms`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Text that is no quantity of the wanted unit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}; write for example {example}")]
pub struct BadQuantity {
    text: String,
    what: &'static str,
    example: &'static str,
}

impl BadQuantity {
    pub(crate) fn new(text: &str, what: &'static str, example: &'static str) -> Self {
        Self { text: text.to_owned(), what, example }
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
        parse(text, &BYTE_UNITS).map(Self).ok_or_else(|| BadQuantity {
            text: text.to_owned(),
            what: "size in bytes",
            example: "512MiB, 64KiB or 4096B",
        })
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
        parse(text, &TIME_UNITS).map(|ns| Self(Duration::from_nanos(ns))).ok_or_else(|| {
            BadQuantity {
                text: text.to_owned(),
                what: "length of time",
                example: "60s, 100ms or 50us",
            }
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_and_written() {
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
    fn nonsense_is_refused() {
        for text in ["", "12", "MiB", "-1s", "1 fortnight", "1e400s", "NaNs", "99999999999h"] {
            assert!(text.parse::<Span>().is_err(), "{text} was read as a time");
            assert!(text.parse::<ByteSize>().is_err(), "{text} was read as a size");
        }
    }
}
