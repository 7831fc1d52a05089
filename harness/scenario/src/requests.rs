//! How many requests the blocks under load of a plan send.

use lumos_model::arrival::Traffic;

use crate::plan::{Block, Plan};
use crate::scenario::{LoadSettings, expected_requests};

/// The largest number of requests that all blocks of `plan` send together. Where the arrivals
/// do not determine it, the scenario's cap does.
pub fn max_requests(plan: &Plan, load: &LoadSettings) -> u64 {
    let of_block = |block: &Block| {
        let traffic = &block.cell.load()?.traffic;
        let expected = expected_requests(traffic, load.duration).unwrap_or(f64::INFINITY);
        Some(expected.min(f64::from(load.requests)).ceil() as u64)
    };
    plan.blocks.iter().filter_map(of_block).sum()
}

/// The traffic of cells that can run whose blocks the scenario's cap on requests ends early, each
/// with the number of requests that it would send otherwise.
pub fn capped_traffic<'s>(
    plan: &Plan,
    load: &'s LoadSettings,
) -> impl Iterator<Item = (&'s Traffic, f64)> {
    let is_used = |traffic: &&Traffic| {
        plan.runnable().any(|cell| cell.load().is_some_and(|point| point.traffic == **traffic))
    };
    let capped = |traffic| {
        let expected = expected_requests(traffic, load.duration)?;
        (expected > f64::from(load.requests)).then_some((traffic, expected))
    };
    load.traffic.iter().filter(is_used).filter_map(capped)
}
