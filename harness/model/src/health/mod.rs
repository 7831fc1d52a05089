//! The state of the machine during a block, and the limits beyond which it taints the block's rows.

mod throttled;

use serde::{Deserialize, Serialize};

pub use self::throttled::{Condition, Throttled};

use crate::row::Taint;

/// Steal above this share of the CPU time that the machine demanded is a taint. Ratios of medians
/// within 1 % count as equivalent. Steal affects single samples more than medians, but at 2 % it
/// can still shift a median by more than 1 %.
pub const MAX_STEAL_SHARE: f64 = 0.02;

/// Fewer stolen ticks are no evidence: the kernel counts in steps of 10 ms, so the first tick may
/// have been stolen before the block.
const MIN_STOLEN_TICKS: u64 = 2;

/// If the governor should hold the clock, a drop by more than this share is a taint.
pub const MAX_CLOCK_DROP: f64 = 0.1;

/// Governors that hold the clock (admin-guide/pm/cpufreq.rst). With any other governor, the clock
/// before and after a block only shows whether the machine was idle at that moment.
pub const STEADY_GOVERNORS: [&str; 2] = ["performance", "userspace"];

/// The state of the machine during a block, in `telemetry.jsonl`. Values that the machine does not
/// report are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockHealth {
    /// Number of cores of the machine.
    pub cores: u32,
    /// CPU time that the hypervisor gave to other machines, in ticks of 10 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stolen_ticks: Option<u64>,
    /// The stolen time as a share of the CPU time that this machine demanded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steal_share: Option<f64>,
    /// One-minute load average after the block; it includes the block's own work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_1m: Option<f64>,
    /// Number of tasks other than `lumos` that ran or waited for a core: the larger value of before
    /// and after the block, when the block itself does not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others_runnable: Option<u32>,
    /// Share of the block's time during which at least one task waited for a core (PSI `some`). It
    /// includes the block's own processes, so it is not a taint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_pressure_share: Option<f64>,
    /// Temperature of the CPU in degrees Celsius: the higher value of before and after the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<f64>,
    /// The frequency governor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// Frequency of the fastest core before the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_before_khz: Option<u64>,
    /// Frequency of the fastest core after the block.
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
    /// The values that exceed their limits.
    pub fn taints(&self) -> Vec<Taint> {
        let limits = [
            (Taint::Throttled, self.is_throttled()),
            (Taint::Steal, self.is_stolen_from()),
            (Taint::Load, self.is_crowded()),
            (Taint::Frequency, self.is_slowed()),
        ];
        limits.into_iter().filter(|(_, exceeded)| *exceeded).map(|(taint, _)| taint).collect()
    }

    /// A "now" bit is set before or after the block, or a "has occurred" bit is new. A "has
    /// occurred" bit that was set before the block does not show whether the condition occurred
    /// again.
    fn is_throttled(&self) -> bool {
        let edges = [self.throttled_before, self.throttled_bits];
        let is_new = self.throttled_before.zip(self.throttled_bits);
        edges.iter().flatten().any(|bits| bits.is_now())
            || is_new.is_some_and(|(before, after)| after.is_new_since(before))
    }

    fn is_stolen_from(&self) -> bool {
        self.steal_share.is_some_and(|share| share > MAX_STEAL_SHARE)
            && self.stolen_ticks.is_some_and(|ticks| ticks >= MIN_STOLEN_TICKS)
    }

    /// There are as many other tasks as cores: with the block's process, more tasks than cores want
    /// to run.
    fn is_crowded(&self) -> bool {
        self.others_runnable.is_some_and(|others| others >= self.cores.max(1))
    }

    fn is_slowed(&self) -> bool {
        let is_steady = |governor: &String| STEADY_GOVERNORS.contains(&governor.as_str());
        let edges = self.frequency_before_khz.zip(self.frequency_khz);
        self.governor.as_ref().is_some_and(is_steady)
            && edges.is_some_and(|(before, after)| {
                (after as f64) < before as f64 * (1.0 - MAX_CLOCK_DROP)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_evidence_is_not_a_taint() {
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
