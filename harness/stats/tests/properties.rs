//! Properties that hold for any samples.
#![allow(missing_docs, reason = "a test")]

use lumos_stats::{
    Band, Bootstrap, Interval, Level, Margin, NoiseFloor, PairedBlock, Percentile, RatioInterval,
    Reliability, Samples, ci, geometric_mean, ratio_of_blocks, ratio_of_medians,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Positive samples of very different magnitudes, with ties.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        (1_u32..50).prop_map(f64::from),
        1e-3..1e3,
        (1_u64..1 << 50).prop_map(|ns| ns as f64),
    ]
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    vec(value(), 1..40)
}

fn blocks() -> impl Strategy<Value = Vec<PairedBlock>> {
    let block = (vec(value(), 1..6), vec(value(), 1..6))
        .prop_map(|(base, candidate)| PairedBlock { base, candidate });
    vec(block, 1..14)
}

fn percentile() -> impl Strategy<Value = Percentile> {
    (0.0..=100.0).prop_map(|p| Percentile::new(p).unwrap())
}

fn bootstrap(level: f64, seed: u64) -> Bootstrap {
    Bootstrap::new(Level::new(level).unwrap(), 400, seed).unwrap()
}

fn samples(values: &[f64]) -> Samples {
    Samples::new(values.iter().copied()).unwrap()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

fn swapped(blocks: &[PairedBlock]) -> Vec<PairedBlock> {
    let swap =
        |b: &PairedBlock| PairedBlock { base: b.candidate.clone(), candidate: b.base.clone() };
    blocks.iter().map(swap).collect()
}

fn ordered(interval: &Interval) -> bool {
    interval.lo <= interval.estimate && interval.estimate <= interval.hi
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_does_not_matter((a, b) in values().prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())), p in percentile()) {
        let (a, b) = (samples(&a), samples(&b));
        prop_assert_eq!(&a, &b);
        prop_assert_eq!(a.mean(), b.mean());
        prop_assert_eq!(ci(&a, p, &bootstrap(0.95, 1)), ci(&b, p, &bootstrap(0.95, 1)));
    }

    #[test]
    fn statistics_scale_with_the_unit(values in values(), p in percentile(), factor in 1e-6_f64..1e6) {
        let scaled: Vec<f64> = values.iter().map(|v| v * factor).collect();
        let (a, b) = (samples(&values), samples(&scaled));
        prop_assert!(close(a.percentile(p) * factor, b.percentile(p)));
        prop_assert!(close(a.mean() * factor, b.mean()));
        prop_assert!((a.mad() * factor - b.mad()).abs() <= 1e-9 * b.max());
        let (a, b) = (ci(&a, p, &bootstrap(0.95, 1)), ci(&b, p, &bootstrap(0.95, 1)));
        prop_assert!(close(a.lo * factor, b.lo) && close(a.hi * factor, b.hi));
    }

    #[test]
    fn percentiles_increase_and_stay_in_range(values in values(), p in percentile(), q in percentile()) {
        let samples = samples(&values);
        let (low, high) = if p <= q { (p, q) } else { (q, p) };
        prop_assert!(samples.percentile(low) <= samples.percentile(high));
        prop_assert!(samples.min() <= samples.percentile(low) && samples.percentile(high) <= samples.max());
        prop_assert!(samples.outliers().total() <= samples.len() / 2);
    }

    #[test]
    fn an_interval_contains_its_estimate_and_stays_in_range(values in values(), p in percentile(), seed: u64) {
        let samples = samples(&values);
        let interval = ci(&samples, p, &bootstrap(0.9, seed));
        prop_assert!(ordered(&interval));
        prop_assert!(samples.min() <= interval.lo && interval.hi <= samples.max());
    }

    #[test]
    fn a_higher_level_never_narrows_the_interval(values in values(), blocks in blocks(), p in percentile(), a in 0.5..0.99, b in 0.5..0.99) {
        let (low, high) = (f64::min(a, b), f64::max(a, b));
        let samples = samples(&values);
        let (narrow, wide) = (ci(&samples, p, &bootstrap(low, 1)), ci(&samples, p, &bootstrap(high, 1)));
        prop_assert!(wide.lo <= narrow.lo && narrow.hi <= wide.hi);
        let narrow = ratio_of_blocks(&blocks, &bootstrap(low, 1)).unwrap();
        let wide = ratio_of_blocks(&blocks, &bootstrap(high, 1)).unwrap();
        prop_assert!(wide.lo() <= narrow.lo() && narrow.hi() <= wide.hi());
    }

    #[test]
    fn a_seed_determines_the_result(values in values(), blocks in blocks(), p in percentile(), seed: u64) {
        let (samples, bootstrap) = (samples(&values), bootstrap(0.95, seed));
        prop_assert_eq!(ci(&samples, p, &bootstrap), ci(&samples, p, &bootstrap));
        prop_assert_eq!(ratio_of_blocks(&blocks, &bootstrap), ratio_of_blocks(&blocks, &bootstrap));
    }

    #[test]
    fn the_order_within_a_block_does_not_matter(blocks in blocks(), seed: u64) {
        let mut reversed = blocks.clone();
        for block in &mut reversed {
            block.base.reverse();
            block.candidate.reverse();
        }
        let bootstrap = bootstrap(0.95, seed);
        prop_assert_eq!(ratio_of_blocks(&blocks, &bootstrap), ratio_of_blocks(&reversed, &bootstrap));
    }

    #[test]
    fn ratios_contain_their_estimate_and_do_not_depend_on_the_unit(blocks in blocks(), a in values(), b in values()) {
        let bootstrap = bootstrap(0.95, 1);
        let ratio = ratio_of_blocks(&blocks, &bootstrap).unwrap();
        prop_assert!(ordered(ratio.interval()));
        let scaled: Vec<_> = blocks.iter().map(|block| PairedBlock {
            base: block.base.iter().map(|v| v * 1e-3).collect(),
            candidate: block.candidate.iter().map(|v| v * 1e-3).collect(),
        }).collect();
        let again = ratio_of_blocks(&scaled, &bootstrap).unwrap();
        prop_assert!(close(ratio.lo(), again.lo()) && close(ratio.hi(), again.hi()));

        let unpaired = ratio_of_medians(&samples(&a), &samples(&b), &bootstrap).unwrap();
        prop_assert!(ordered(unpaired.interval()));
    }

    #[test]
    fn swapping_the_sides_inverts_the_ratio(blocks in vec(blocks(), 3).prop_map(|b| b.concat())) {
        // Exact from eight blocks on; with fewer, each side has its own draws.
        prop_assume!(blocks.len() >= lumos_stats::FEW_BLOCKS);
        let there = ratio_of_blocks(&blocks, &bootstrap(0.95, 1)).unwrap();
        let back = ratio_of_blocks(&swapped(&blocks), &bootstrap(0.95, 1)).unwrap();
        prop_assert!(close(there.lo() * back.hi(), 1.0) && close(there.hi() * back.lo(), 1.0));
        prop_assert!(close(there.estimate() * back.estimate(), 1.0));
    }

    #[test]
    fn swapping_the_sides_swaps_the_verdict(lo in 0.5_f64..1.5, width in 0.0_f64..0.5, margin in 0.0..0.2, floor in 0.0..0.2) {
        let interval = |lo: f64, hi: f64| RatioInterval::new(Interval {
            estimate: (lo * hi).sqrt().clamp(lo, hi), lo, hi, level: Level::P95, reliability: Reliability::Sound,
        }).unwrap();
        let hi = lo * (1.0 + width);
        let floor = NoiseFloor::from_control(&interval(1.0, 1.0 + floor)).unwrap();
        let band = Band::new(Margin::new(margin).unwrap(), floor);
        // Exactly on an edge, the last bit decides.
        prop_assume!([lo, hi].iter().all(|&end| !close(end, band.lo()) && !close(end, band.hi())));
        let (there, back) = (band.verdict(&interval(lo, hi)), band.verdict(&interval(1.0 / hi, 1.0 / lo)));
        prop_assert_eq!(there.swapped(), back);
    }

    #[test]
    fn the_geometric_mean_follows_units_and_reciprocals(ratios in values(), factor in 1e-3_f64..1e3) {
        let mean = geometric_mean(ratios.iter().copied()).unwrap();
        prop_assert!(close(geometric_mean(ratios.iter().map(|r| r * factor)).unwrap(), mean * factor));
        prop_assert!(close(geometric_mean(ratios.iter().map(|r| 1.0 / r)).unwrap(), 1.0 / mean));
    }
}
