//! The throttle bits of a Raspberry Pi.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The bits of `vcgencmd get_throttled` (Raspberry Pi documentation, "os", section `vcgencmd`),
/// written as `0x50005`.
///
/// | bit | now | bit | has occurred |
/// |---|---|---|---|
/// | 0 | under-voltage | 16 | under-voltage |
/// | 1 | frequency capped | 17 | frequency capped |
/// | 2 | throttled | 18 | throttled |
/// | 3 | soft temperature limit | 19 | soft temperature limit |
///
/// From `vcgencmd`, "has occurred" means since boot. The kernel's file shows the last result of
/// its voltage driver (drivers/hwmon/raspberrypi-hwmon.c), which reads and clears these bits
/// every 2 s. There, "has occurred" means since the driver's previous read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Throttled(pub u32);

crate::words! {
    /// A condition that the throttle bits show, in the order of the bits.
    Condition, "throttle condition" {
        /// The supply voltage is too low.
        UnderVoltage = "under-voltage",
        /// The firmware limits the clock.
        FrequencyCapped = "frequency capped",
        /// The firmware slows the CPU.
        Throttled = "throttled",
        /// The CPU is at the soft temperature limit.
        SoftTemperatureLimit = "soft temperature limit",
    }
}

const NOW: u32 = 0xf;

impl Throttled {
    /// The conditions that hold now.
    pub fn now(self) -> Vec<Condition> {
        conditions(self.0)
    }

    /// The conditions that hold now or have occurred before.
    pub fn occurred(self) -> Vec<Condition> {
        conditions(self.0 | self.0 >> 16)
    }

    /// Whether any condition holds now.
    pub(super) fn is_now(self) -> bool {
        self.0 & NOW != 0
    }

    /// Whether a condition has occurred that had not occurred at `before`.
    pub(super) fn is_new_since(self, before: Throttled) -> bool {
        (self.0 & !before.0) >> 16 & NOW != 0
    }
}

fn conditions(bits: u32) -> Vec<Condition> {
    let is_set = |condition: &Condition| bits >> *condition as u32 & 1 == 1;
    Condition::ALL.iter().copied().filter(is_set).collect()
}

impl fmt::Display for Throttled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// The text is not a hexadecimal number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a hexadecimal number such as 0x50005")]
pub struct InvalidBits(String);

impl FromStr for Throttled {
    type Err = InvalidBits;

    /// Accepts `throttled=0x50005` (from `vcgencmd`), `0x50005` and `50005` (from the kernel).
    fn from_str(text: &str) -> Result<Self, InvalidBits> {
        let digits = text.trim().trim_start_matches("throttled=").trim_start_matches("0x");
        u32::from_str_radix(digits, 16).map(Self).map_err(|_| InvalidBits(text.to_owned()))
    }
}

impl From<Throttled> for String {
    fn from(bits: Throttled) -> String {
        bits.to_string()
    }
}

impl TryFrom<String> for Throttled {
    type Error = InvalidBits;

    fn try_from(text: String) -> Result<Self, InvalidBits> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(text: &str) -> Throttled {
        text.parse().unwrap()
    }

    #[test]
    fn parses_every_notation() {
        assert_eq!(bits("throttled=0x50005\n"), Throttled(0x50005));
        assert_eq!(bits("50005"), bits("0x50005"));
        assert_eq!(serde_json::to_string(&bits("50005")).unwrap(), "\"0x50005\"");
        assert_eq!(serde_json::from_str::<Throttled>("\"0x0\"").unwrap(), Throttled(0));
        assert!("error=1".parse::<Throttled>().is_err());
    }

    #[test]
    fn distinguishes_current_and_past_conditions() {
        assert_eq!(bits("0x50005").now(), [Condition::UnderVoltage, Condition::Throttled]);
        assert_eq!(bits("0x80000").now(), []);
        let past = [Condition::FrequencyCapped, Condition::SoftTemperatureLimit];
        assert_eq!(bits("0x80002").occurred(), past);
        assert!(bits("0x50000").is_new_since(bits("0x10000")));
        assert!(!bits("0x50000").is_new_since(bits("0x50000")));
        assert!(!bits("0x0").is_new_since(bits("0x50000")));
    }
}
