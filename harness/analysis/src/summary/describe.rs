//! Percentiles and intervals of one cell.

use lumos_model::cell::Cell;
use lumos_stats::{Bootstrap, Level, Percentile, Samples, ci};

use super::gather::Gathered;
use super::{CellSummary, FEW_SAMPLES, Metric};

/// For what a reader compares: totals, cold starts, ratios.
const RESAMPLES: u32 = 10_000;
/// The fewest that an interval stands on (Davison and Hinkley, 1997).
const FEWEST_RESAMPLES: u32 = 1_000;
/// Resamples times samples of a ratio: with more than 4,000 samples on both sides
/// together, which need resampling less, a ratio would take seconds.
const MOST_DRAWS: usize = 40_000_000;

/// The plan for a ratio over blocks of so many samples in all.
pub(super) fn ratio_plan(samples: usize, seed: u64) -> Bootstrap {
    let affordable = u32::try_from(MOST_DRAWS / samples.max(1)).unwrap_or(u32::MAX);
    plan(affordable.clamp(FEWEST_RESAMPLES, RESAMPLES), seed)
}

fn plan(resamples: u32, seed: u64) -> Bootstrap {
    Bootstrap::new(Level::P95, resamples, seed).expect("enough resamples for 95 %")
}

/// All of a cell but its ratio.
pub(super) fn cell(cell: &Cell, gathered: &Gathered, seed: u64) -> CellSummary {
    // A dozen phases a cell are looked up and not compared: fewer resamples do.
    let (whole, parts) = (plan(RESAMPLES, seed), plan(FEWEST_RESAMPLES, seed));
    let total = samples(gathered.total.values().flatten().copied());
    let n = total.as_ref().map_or(0, Samples::len);
    let median_bytes =
        |bytes: &[f64]| Some(samples(bytes.iter().copied())?.median().round() as u64);
    CellSummary {
        cell: cell.clone(),
        n,
        blocks: gathered.total.len(),
        few_samples: n < FEW_SAMPLES,
        failures: gathered.failures(),
        wrong_start: gathered.wrong_start,
        tainted: gathered.tainted,
        taints: gathered.taints.clone(),
        outliers: total.as_ref().map_or(0, |total| total.outliers().total()),
        total: total.as_ref().map(|total| metric(total, &whole)),
        cold_start: samples(gathered.cold_start.iter().copied()).map(|cold| metric(&cold, &whole)),
        phases: gathered
            .phases
            .iter()
            .filter_map(|(phase, times)| Some((*phase, metric(&padded(times, n)?, &parts))))
            .collect(),
        cpu: samples(gathered.cpu.iter().copied()).map(|cpu| metric(&cpu, &parts)),
        memory_peak_bytes: median_bytes(&gathered.memory_peak),
        linear_memory_bytes: median_bytes(&gathered.linear_memory),
        ratio_to_native: None,
        why_no_ratio: None,
    }
}

/// The samples; `None` when there are none. Nanoseconds and bytes are always finite.
fn samples(values: impl Iterator<Item = f64>) -> Option<Samples> {
    Samples::new(values).ok()
}

/// A phase's times, and 0 for each of the `n` samples in which it did not occur.
fn padded(times: &[f64], n: usize) -> Option<Samples> {
    let absent = n.saturating_sub(times.len());
    samples(times.iter().copied().chain(std::iter::repeat_n(0.0, absent)))
}

fn metric(samples: &Samples, plan: &Bootstrap) -> Metric {
    let median = ci(samples, Percentile::MEDIAN, plan);
    let ns = |value: f64| value.round() as u64;
    Metric {
        median_ns: ns(median.estimate),
        p95_ns: ns(samples.percentile(Percentile::P95)),
        p99_ns: ns(samples.percentile(Percentile::P99)),
        ci95_ns: [ns(median.lo), ns(median.hi)],
    }
}
