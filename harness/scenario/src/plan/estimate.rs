//! Time, requests and disk space that a plan needs, as far as they are known in advance.

use std::time::Duration;

use lumos_model::arrival::Traffic;
use serde::Serialize;

use super::schema::Plan;
use crate::scenario::{LoadSettings, Scenario, expected_requests};

/// The size of a row under load, including its part of the block's telemetry.
const ROW_BYTES: u64 = 800;

/// The samples and the time of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Number of blocks.
    pub blocks: u32,
    /// Samples of all blocks without load; without warm-up.
    pub samples: u64,
    /// Invocations that make instances warm.
    pub warmups: u64,
    /// The sum of the scenario's gaps: a run cannot be shorter. With a budget, the gaps of a
    /// block end when its budget does.
    pub gaps: Duration,
    /// With a budget: the time limit of all blocks together, including gaps. Does not include
    /// the rest of the sample during which a budget ends.
    pub budget: Option<Duration>,
    /// The time during which all blocks under load together send requests, unless the limit on
    /// requests ends a block earlier.
    pub load: Duration,
}

/// Arrivals that reach the limit on requests before their duration ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capped<'s> {
    /// The arrivals.
    pub traffic: &'s Traffic,
    /// The number of requests that they would send in the whole duration.
    pub expected: f64,
}

impl Plan {
    /// Estimates samples and time.
    pub fn estimate(&self, scenario: &Scenario) -> Estimate {
        let mut estimate = Estimate {
            blocks: self.blocks.len() as u32,
            samples: 0,
            warmups: 0,
            gaps: Duration::ZERO,
            budget: scenario.budget.map(|budget| budget.0 * self.blocks.len() as u32),
            load: Duration::ZERO,
        };
        for block in &self.blocks {
            if block.cell.load().is_some() {
                estimate.load += scenario.load.as_ref().map_or(Duration::ZERO, |l| l.duration.0);
                continue;
            }
            estimate.samples += u64::from(block.samples);
            if block.cell.start().is_cold() {
                let gaps = scenario.gap.0 * block.samples;
                estimate.gaps += scenario.budget.map_or(gaps, |budget| gaps.min(budget.0));
            } else {
                estimate.warmups += u64::from(scenario.warmup);
            }
        }
        estimate
    }

    /// The most requests that all blocks under `load` send together.
    pub fn most_requests(&self, load: &LoadSettings) -> u64 {
        let of_traffic = |traffic: &Traffic| {
            let expected = expected_requests(traffic, load.duration).unwrap_or(f64::INFINITY);
            expected.min(f64::from(load.requests)).ceil() as u64
        };
        let points = self.blocks.iter().filter_map(|block| block.cell.load());
        points.map(|point| of_traffic(&point.traffic)).sum()
    }

    /// The arrivals of runnable cells that reach the limit on requests before their duration
    /// ends.
    pub fn capped<'s>(&self, load: &'s LoadSettings) -> Vec<Capped<'s>> {
        let is_planned = |traffic: &&Traffic| {
            self.runnable().any(|cell| cell.load().is_some_and(|l| l.traffic == **traffic))
        };
        let capped = |traffic: &'s Traffic| {
            let expected = expected_requests(traffic, load.duration)?;
            (expected > f64::from(load.requests)).then_some(Capped { traffic, expected })
        };
        load.traffic.iter().filter(is_planned).filter_map(capped).collect()
    }
}

/// The approximate size of this many rows under load on disk.
pub fn disk_bytes(requests: u64) -> u64 {
    requests.saturating_mul(ROW_BYTES)
}
