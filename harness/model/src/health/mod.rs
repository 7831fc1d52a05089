//! How the machine was doing during a block, and what of it taints the block's rows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::row::Taint;

/// Steal taints above this share of the CPU time that the machine wanted. Ratios of medians
/// within 1 % are called equivalent, and the share hits single samples harder than medians:
/// 2 % in all can still move them by more than that.
pub const MOST_STEAL: f64 = 0.02;

/// Fewer stolen ticks than this prove nothing: the kernel counts in steps of 10 ms, so the
/// first one may have been stolen before the block.
const FEWEST_STOLEN_TICKS: u64 = 2;

/// A clock that is set to stay taints when it fell by more than this share.
pub const MOST_FALL: f64 = 0.1;

/// Governors that leave the clock where it is (admin-guide/pm/cpufreq.rst). Under the others
/// the clock at a block's edges says only whether the machine was idle there.
pub const STEADY_GOVERNORS: [&str; 2] = ["performance", "userspace"];

/// A block's health, in `telemetry.jsonl`. What the machine does not tell is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockHealth {
    /// Cores of the machine.
    pub cores: u32,
    /// CPU time that the hypervisor gave to others, in ticks of 10 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stolen_ticks: Option<u64>,
    /// The same as a share of the CPU time that this machine wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steal_share: Option<f64>,
    /// Load average of one minute after the block; it includes the block's own work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_1m: Option<f64>,
    /// Tasks beside `lumos` that ran or waited for a core at the block's edges, when the
    /// block itself does not run: the larger of both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others_runnable: Option<u32>,
    /// Share of the block's time in which some task waited for a core (PSI `some`); the
    /// block's own processes count, so that it is no taint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_pressure_share: Option<f64>,
    /// Temperature of the CPU at the warmer edge, in degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<f64>,
    /// What chooses the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// Clock of the fastest core before the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_before_khz: Option<u64>,
    /// Clock of the fastest core after the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_khz: Option<u64>,
    /// Throttle bits before the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttled_before: Option<Throttled>,
    /// Throttle bits after the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttled_bits: Option<Throttled>,
}

impl BlockHealth {
    /// What passed its limit.
    pub fn taints(&self) -> Vec<Taint> {
        let signs = [
            (Taint::Throttled, self.is_throttled()),
            (Taint::Steal, self.is_robbed()),
            (Taint::Load, self.is_crowded()),
            (Taint::Frequency, self.is_slowed()),
        ];
        signs.into_iter().filter(|(_, is_so)| *is_so).map(|(taint, _)| taint).collect()
    }

    /// A bit for "now" at either edge, or a bit for "has occurred" that is new. When such a
    /// bit stood at both edges, the file does not tell whether it occurred again.
    fn is_throttled(&self) -> bool {
        let edges = [self.throttled_before, self.throttled_bits];
        let is_new = self.throttled_before.zip(self.throttled_bits);
        edges.iter().flatten().any(|bits| bits.is_now())
            || is_new.is_some_and(|(before, after)| after.is_new_since(before))
    }

    fn is_robbed(&self) -> bool {
        self.steal_share.is_some_and(|share| share > MOST_STEAL)
            && self.stolen_ticks.is_some_and(|ticks| ticks >= FEWEST_STOLEN_TICKS)
    }

    /// As many others as cores: with the block's process, the run queue is longer than the
    /// machine is wide.
    fn is_crowded(&self) -> bool {
        self.others_runnable.is_some_and(|others| others >= self.cores.max(1))
    }

    fn is_slowed(&self) -> bool {
        let is_steady = |governor: &String| STEADY_GOVERNORS.contains(&governor.as_str());
        let edges = self.frequency_before_khz.zip(self.frequency_khz);
        self.governor.as_ref().is_some_and(is_steady)
            && edges
                .is_some_and(|(before, after)| (after as f64) < before as f64 * (1.0 - MOST_FALL))
    }
}

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
    fn what_is_no_proof_does_not_taint() {
        let one_tick =
            BlockHealth { stolen_ticks: Some(1), steal_share: Some(0.2), ..Default::default() };
        assert_eq!(one_tick.taints(), []);
        let fell = BlockHealth {
            frequency_before_khz: Some(2_400_000),
            frequency_khz: Some(1_500_000),
            governor: Some("ondemand".to_owned()),
            ..Default::default()
        };
        assert_eq!(fell.taints(), []);
        let old = Some(Throttled(0x50000));
        let before =
            BlockHealth { throttled_before: old, throttled_bits: old, ..Default::default() };
        assert_eq!(before.taints(), []);
    }
}
