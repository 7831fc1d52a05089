//! How often verdicts are right, on simulated machines with a known truth.
#![allow(missing_docs, reason = "a test")]

use lumos_stats::{
    Band, Bootstrap, Level, Margin, NoiseFloor, PairedBlock, Percentile, Samples, Verdict, ci,
    ratio_of_blocks,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A machine with three sources of relative noise (0.01 is 1 %).
#[derive(Clone, Copy)]
struct Machine {
    /// Noise of a block that both sides share: frequency, temperature.
    drift: f64,
    /// Noise of one side of a block: memory layout, a neighbour's burst.
    block: f64,
    /// Noise of a sample; the slow tail is twice as wide as the fast tail.
    sample: f64,
}

const QUIET: Machine = Machine { drift: 0.02, block: 0.005, sample: 0.01 };
const NOISY: Machine = Machine { drift: 0.05, block: 0.03, sample: 0.05 };

struct Simulation {
    machine: Machine,
    rng: ChaCha8Rng,
}

impl Simulation {
    fn new(machine: Machine, seed: u64) -> Self {
        Self { machine, rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// An approximately standard normal number: the sum of twelve uniform ones.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.rng.next_u32() as f64 / u32::MAX as f64).sum::<f64>() - 6.0
    }

    fn side(&mut self, centre: f64, samples: usize) -> Vec<f64> {
        let centre = centre * (self.machine.block * self.normal()).exp();
        (0..samples)
            .map(|_| {
                let z = self.normal();
                centre * (self.machine.sample * if z > 0.0 { 2.0 * z } else { z }).exp()
            })
            .collect()
    }

    /// Blocks in which the candidate takes `factor` times as long as the base.
    fn blocks(&mut self, count: usize, samples: usize, factor: f64) -> Vec<PairedBlock> {
        (0..count)
            .map(|_| {
                let centre = 1e6 * (self.machine.drift * self.normal()).exp();
                PairedBlock {
                    base: self.side(centre, samples),
                    candidate: self.side(factor * centre, samples),
                }
            })
            .collect()
    }

    /// The share of each verdict in `trials`, in percent.
    fn shares(&mut self, trials: u32, design: Design) -> Shares {
        let bootstrap = Bootstrap::new(Level::P95, 500, 5).unwrap();
        let mut shares = Shares::default();
        for _ in 0..trials {
            let floor = match design.control {
                true => {
                    let control = self.blocks(design.blocks, design.samples, 1.0);
                    NoiseFloor::from_control(&ratio_of_blocks(&control, &bootstrap).unwrap())
                        .unwrap()
                }
                false => NoiseFloor::UNKNOWN,
            };
            let pair = self.blocks(design.blocks, design.samples, design.factor);
            let verdict = Band::new(design.margin, floor)
                .verdict(&ratio_of_blocks(&pair, &bootstrap).unwrap());
            *match verdict {
                Verdict::Faster => &mut shares.faster,
                Verdict::Slower => &mut shares.slower,
                Verdict::Equivalent => &mut shares.equivalent,
                Verdict::Unsure => &mut shares.unsure,
            } += 100.0 / f64::from(trials);
        }
        shares
    }
}

#[derive(Clone, Copy)]
struct Design {
    blocks: usize,
    samples: usize,
    factor: f64,
    margin: Margin,
    control: bool,
}

impl Default for Design {
    fn default() -> Self {
        Self { blocks: 12, samples: 5, factor: 1.0, margin: Margin::default(), control: true }
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Shares {
    faster: f64,
    slower: f64,
    equivalent: f64,
    unsure: f64,
}

impl Shares {
    fn different(self) -> f64 {
        self.faster + self.slower
    }
}

const TRIALS: u32 = 400;

#[test]
fn equal_sides_are_rarely_called_different() {
    for (name, machine) in [("quiet", QUIET), ("noisy", NOISY)] {
        for (blocks, samples) in [(2, 5), (12, 5), (20, 1)] {
            for control in [false, true] {
                let design = Design { blocks, samples, control, ..Design::default() };
                let shares = Simulation::new(machine, 1).shares(TRIALS, design);
                println!("{name} {blocks}x{samples}, control {control}: {shares:.1?}");
                assert!(shares.different() <= 5.0, "{shares:?}");
            }
        }
    }
}

#[test]
fn the_level_roughly_holds_without_margin_and_control() {
    let margin = Margin::new(0.0).unwrap();
    for machine in [QUIET, NOISY] {
        let design = Design { margin, control: false, ..Design::default() };
        let shares = Simulation::new(machine, 2).shares(TRIALS, design);
        println!("{shares:.1?}");
        assert!(shares.different() <= 8.0, "{shares:?}");
    }
}

#[test]
fn detects_a_shift_of_five_percent() {
    for (blocks, samples) in [(12, 5), (20, 3)] {
        let design = |factor| Design { blocks, samples, factor, ..Design::default() };
        let slower = Simulation::new(QUIET, 3).shares(TRIALS, design(1.05));
        let faster = Simulation::new(QUIET, 4).shares(TRIALS, design(1.0 / 1.05));
        println!("{blocks}x{samples}: {slower:.1?} {faster:.1?}");
        assert!(slower.slower >= 90.0 && slower.faster == 0.0, "{slower:?}");
        assert!(faster.faster >= 90.0 && faster.slower == 0.0, "{faster:?}");
    }
}

#[test]
fn a_difference_within_the_margin_is_equivalent() {
    let margin = Margin::new(0.03).unwrap();
    let design = Design { factor: 1.005, margin, ..Design::default() };
    let shares = Simulation::new(QUIET, 5).shares(TRIALS, design);
    println!("{shares:.1?}");
    assert!(shares.equivalent >= 90.0 && shares.different() == 0.0, "{shares:?}");
}

#[test]
fn the_interval_of_a_median_covers_the_truth() {
    let iid = Machine { drift: 0.0, block: 0.0, sample: 0.1 };
    let mut simulation = Simulation::new(iid, 6);
    let bootstrap = Bootstrap::new(Level::P95, 500, 5).unwrap();
    for n in [10, 31, 200] {
        let covered = (0..1000)
            .filter(|_| {
                let samples = Samples::new(simulation.side(1e6, n)).unwrap();
                ci(&samples, Percentile::MEDIAN, &bootstrap).contains(1e6)
            })
            .count();
        println!("n {n}: {covered} of 1000");
        // The ends are order statistics, so the true coverage changes in steps: at n = 31 the
        // binomial tails give 92.9 %.
        assert!((910..=985).contains(&covered), "n {n}: {covered}");
    }
}
