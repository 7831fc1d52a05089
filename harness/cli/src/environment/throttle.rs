//! What the firmware of a Raspberry Pi says about power and heat.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Root;

/// The bits of `vcgencmd get_throttled`, as the Raspberry Pi documentation ("os",
/// section `vcgencmd`) gives them. Written as `0x50005`.
///
/// | bit | now | bit | has occurred |
/// |---|---|---|---|
/// | 0 | under-voltage | 16 | under-voltage |
/// | 1 | frequency capped | 17 | frequency capped |
/// | 2 | throttled | 18 | throttled |
/// | 3 | soft temperature limit | 19 | soft temperature limit |
///
/// "Has occurred" is since the boot when `vcgencmd` is asked. The kernel's file gives
/// what its voltage driver (drivers/hwmon/raspberrypi-hwmon.c) saw last: it asks every
/// 2 s and clears these bits, so there they say what occurred since it asked before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Throttled(pub u32);

const NAMES: [&str; 4] =
    ["under-voltage", "frequency capped", "throttled", "soft temperature limit"];
const NOW: u32 = 0xf;

impl Throttled {
    /// What is so now.
    pub fn now(self) -> Vec<&'static str> {
        names(self.0)
    }

    /// What has occurred, now or before.
    pub fn occurred(self) -> Vec<&'static str> {
        names(self.0 | self.0 >> 16)
    }

    /// Whether anything is so now.
    pub fn is_now(self) -> bool {
        self.0 & NOW != 0
    }

    /// Whether something has occurred since `before` that had not occurred then.
    pub fn is_new_since(self, before: Throttled) -> bool {
        (self.0 & !before.0) >> 16 & NOW != 0
    }
}

fn names(bits: u32) -> Vec<&'static str> {
    let set = NAMES.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
    set.map(|(_, name)| *name).collect()
}

impl fmt::Display for Throttled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// No hexadecimal number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` holds no throttle bits such as 0x50005")]
pub struct NoBits(String);

impl FromStr for Throttled {
    type Err = NoBits;

    /// `throttled=0x50005` as `vcgencmd` writes it, `0x50005`, or `50005` as the kernel
    /// does.
    fn from_str(text: &str) -> Result<Self, NoBits> {
        let digits = text.trim().trim_start_matches("throttled=").trim_start_matches("0x");
        u32::from_str_radix(digits, 16).map(Self).map_err(|_| NoBits(text.to_owned()))
    }
}

impl From<Throttled> for String {
    fn from(bits: Throttled) -> String {
        bits.to_string()
    }
}

impl TryFrom<String> for Throttled {
    type Error = NoBits;

    fn try_from(text: String) -> Result<Self, NoBits> {
        text.parse()
    }
}

/// The kernel's file with the bits, below `root`. The folder of the firmware device is
/// `soc:firmware` on a Pi 4 and bears the address of the bus on later boards, so it is
/// found by its driver.
pub(super) fn file(root: &Root) -> Option<String> {
    const DRIVER: &str = "sys/bus/platform/drivers/raspberrypi-firmware";
    let known = "sys/devices/platform/soc/soc:firmware/get_throttled".to_owned();
    let found = root.names(DRIVER).into_iter().map(|dev| format!("{DRIVER}/{dev}/get_throttled"));
    std::iter::once(known).chain(found).find(|file| root.path(file).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(text: &str) -> Throttled {
        text.parse().unwrap()
    }

    #[test]
    fn every_writing_is_read() {
        assert_eq!(bits("throttled=0x50005\n"), Throttled(0x50005));
        assert_eq!(bits("50005"), bits("0x50005"));
        assert_eq!(serde_json::to_string(&bits("50005")).unwrap(), "\"0x50005\"");
        assert_eq!(serde_json::from_str::<Throttled>("\"0x0\"").unwrap(), Throttled(0));
        assert!("error=1".parse::<Throttled>().is_err());
    }

    #[test]
    fn now_and_before_are_told_apart() {
        assert_eq!(bits("0x50005").now(), ["under-voltage", "throttled"]);
        assert_eq!(bits("0x80000").now(), [""; 0]);
        assert_eq!(bits("0x80002").occurred(), ["frequency capped", "soft temperature limit"]);
        assert!(bits("0x50000").is_new_since(bits("0x10000")));
        assert!(!bits("0x50000").is_new_since(bits("0x50000")));
        assert!(!bits("0x0").is_new_since(bits("0x50000")));
    }

    #[test]
    fn the_file_is_found_on_every_board() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::at(folder.path());
        assert_eq!(file(&root), None);
        let pi5 = "sys/bus/platform/drivers/raspberrypi-firmware/soc@107c000000:firmware";
        std::fs::create_dir_all(root.path(pi5)).unwrap();
        std::fs::write(root.path(&format!("{pi5}/get_throttled")), "0\n").unwrap();
        assert_eq!(file(&root).unwrap(), format!("{pi5}/get_throttled"));
    }
}
