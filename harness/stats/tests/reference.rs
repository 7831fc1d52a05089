//! Compares every statistic with NumPy and SciPy; `fixtures/generate.py` writes the reference.
#![allow(missing_docs, reason = "a test")]

use std::collections::BTreeMap;

use lumos_stats::{
    Bootstrap, Interval, Level, Outliers, PairedBlock, Percentile, Samples, ci, geometric_mean,
    ratio_of_blocks, ratio_of_medians,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    sets: BTreeMap<String, Set>,
    intervals: Vec<PercentileCase>,
    ratios: Vec<RatioCase>,
    block_ratios: Vec<BlockCase>,
    geometric_means: Vec<MeanCase>,
}

#[derive(Deserialize)]
struct Set {
    samples: Vec<f64>,
    mean: f64,
    mad: f64,
    fences: [f64; 2],
    outliers: [usize; 2],
    percentiles: Vec<(f64, f64)>,
}

#[derive(Deserialize)]
struct PercentileCase {
    set: String,
    percent: f64,
    brackets: Vec<Bracket>,
}

#[derive(Deserialize)]
struct RatioCase {
    base: String,
    candidate: String,
    estimate: f64,
    brackets: Vec<Bracket>,
}

#[derive(Deserialize)]
struct BlockCase {
    base: Vec<Vec<f64>>,
    candidate: Vec<Vec<f64>>,
    estimate: f64,
    brackets: Vec<Bracket>,
}

#[derive(Deserialize)]
struct MeanCase {
    set: String,
    mean: f64,
}

/// The ranges that must contain the ends of an interval.
#[derive(Deserialize)]
struct Bracket {
    level: f64,
    lo: [f64; 2],
    hi: [f64; 2],
}

impl Bracket {
    fn bootstrap(&self) -> Bootstrap {
        Bootstrap::new(Level::new(self.level).unwrap(), 40_000, 3).unwrap()
    }

    fn check(&self, name: &str, got: &Interval) {
        let within =
            |x: f64, [from, to]: [f64; 2]| x >= from * (1.0 - 1e-12) && x <= to * (1.0 + 1e-12);
        assert!(
            within(got.lo, self.lo) && within(got.hi, self.hi),
            "{name} at {}: [{}, {}] is outside {:?} .. {:?}",
            self.level,
            got.lo,
            got.hi,
            self.lo,
            self.hi
        );
    }
}

impl Reference {
    fn load() -> Self {
        serde_json::from_str(include_str!("fixtures/reference.json")).unwrap()
    }

    fn samples(&self, name: &str) -> Samples {
        Samples::new(self.sets[name].samples.iter().copied()).unwrap()
    }
}

fn close(got: f64, expected: f64) -> bool {
    (got - expected).abs() <= 1e-12 * expected.abs().max(1e-9)
}

#[test]
fn descriptive_statistics_agree() {
    let reference = Reference::load();
    for (name, set) in &reference.sets {
        let samples = reference.samples(name);
        assert!(close(samples.mean(), set.mean), "{name}: mean");
        assert!(close(samples.mad(), set.mad), "{name}: mad");
        let fences = samples.fences();
        assert!(
            close(fences.low, set.fences[0]) && close(fences.high, set.fences[1]),
            "{name}: fences"
        );
        let [low, high] = set.outliers;
        assert_eq!(samples.outliers(), Outliers { low, high }, "{name}");
        for &(percent, expected) in &set.percentiles {
            let got = samples.percentile(Percentile::new(percent).unwrap());
            assert!(close(got, expected), "{name}: p{percent} {got} {expected}");
        }
    }
}

#[test]
fn percentile_intervals_agree() {
    let reference = Reference::load();
    for case in &reference.intervals {
        let samples = reference.samples(&case.set);
        let p = Percentile::new(case.percent).unwrap();
        for bracket in &case.brackets {
            bracket.check(&case.set, &ci(&samples, p, &bracket.bootstrap()));
        }
    }
}

#[test]
fn ratio_intervals_agree() {
    let reference = Reference::load();
    for case in &reference.ratios {
        let (base, candidate) = (reference.samples(&case.base), reference.samples(&case.candidate));
        for bracket in &case.brackets {
            let ratio = ratio_of_medians(&base, &candidate, &bracket.bootstrap()).unwrap();
            assert!(close(ratio.estimate(), case.estimate));
            bracket.check(&case.candidate, ratio.interval());
        }
    }
}

#[test]
fn block_ratio_intervals_agree() {
    for case in Reference::load().block_ratios {
        let blocks: Vec<_> = (case.base.into_iter().zip(case.candidate))
            .map(|(base, candidate)| PairedBlock { base, candidate })
            .collect();
        for bracket in &case.brackets {
            let ratio = ratio_of_blocks(&blocks, &bracket.bootstrap()).unwrap();
            assert!(close(ratio.estimate(), case.estimate));
            bracket.check(&format!("{} blocks", blocks.len()), ratio.interval());
        }
    }
}

#[test]
fn geometric_means_agree() {
    let reference = Reference::load();
    for case in &reference.geometric_means {
        let got = geometric_mean(reference.sets[&case.set].samples.iter().copied()).unwrap();
        assert!(close(got, case.mean), "{}: {got} {}", case.set, case.mean);
    }
}
