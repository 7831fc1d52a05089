//! The seeded randomness of all intervals.
//!
//! Results must not change with a release of a dependency or with the processor. So the generator
//! is a fixed algorithm (ChaCha8, Bernstein 2008), the key and all distributions are computed in
//! this file, and logarithms are computed in software.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::samples::{Percentile, Samples};

/// A stream of random numbers, determined by its seed.
pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    pub fn new(seed: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A uniform index below `bound`: the high word of a 64 x 64 bit product. Its bias of
    /// bound / 2^64 is too small to be observed.
    pub fn index(&mut self, bound: usize) -> usize {
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// A uniform number in the open interval (0, 1), in steps of 2^-52.
    fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    fn exponential(&mut self) -> f64 {
        -libm::log(self.unit())
    }

    /// A standard normal number, by Marsaglia's polar method (SIAM Review 6, 1964).
    fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square > 0.0 {
                return x * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
    }

    /// A gamma number of scale 1 and shape at least 1: Marsaglia and Tsang, "A simple method for
    /// generating gamma variables", ACM TOMS 26(3), 2000.
    fn gamma(&mut self, shape: f64) -> f64 {
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let root = 1.0 + c * x;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            if libm::log(self.unit()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    /// The percentile of a resample of `samples` with replacement, without drawing all n samples.
    ///
    /// A resample is n uniform draws u, each of which picks the sample of rank floor(n u). The
    /// percentile needs only the draws of order k and k + 1. These are ratios of sums of
    /// exponential gaps: u_(k) = G_k / G_(n+1), where G_i is a gamma variable of shape i (Devroye,
    /// "Non-Uniform Random Variate Generation", 1986, V.3). The result has exactly the distribution
    /// of the plain bootstrap, and its cost does not grow with n.
    pub fn resampled_percentile(&mut self, samples: &Samples, p: Percentile) -> f64 {
        let (sorted, n) = (samples.as_sorted(), samples.len());
        let at = p.position(n);
        let k = at.rank + 1;
        let lower = self.gamma(k as f64);
        let upper = lower + self.exponential();
        let above = n - k;
        let total = match above {
            0 => upper,
            _ => upper + self.gamma(above as f64),
        };
        let pick = |gap: f64| sorted[((gap / total * n as f64) as usize).min(n - 1)];
        at.between(pick(lower), pick(upper))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If this test fails, every published interval has changed: do not update the expected values.
    #[test]
    fn a_seed_always_gives_the_same_stream() {
        let mut draws = Draws::new(42);
        let indices: Vec<usize> = (0..8).map(|_| draws.index(1000)).collect();
        assert_eq!(indices, PINNED_INDICES);
        let gammas: Vec<u64> = (0..3).map(|_| draws.gamma(2.5).to_bits()).collect();
        assert_eq!(gammas, PINNED_GAMMAS);
    }
    const PINNED_INDICES: [usize; 8] = [348, 285, 493, 367, 825, 67, 489, 266];
    const PINNED_GAMMAS: [u64; 3] =
        [4_611_422_380_422_405_486, 4_615_961_242_582_731_699, 4_612_093_174_209_311_671];

    /// Compares the short cut with resampling sample by sample: both empirical distributions of
    /// each percentile must agree (Kolmogorov-Smirnov).
    #[test]
    fn percentiles_are_distributed_as_in_a_plain_resample() {
        const ROUNDS: usize = 40_000;
        for n in [1, 2, 5, 12, 31] {
            let samples = Samples::from_nanos(0..n).unwrap();
            for percent in [0.0, 10.0, 50.0, 95.0, 100.0] {
                let p = Percentile::new(percent).unwrap();
                let mut draws = Draws::new(7);
                let quick: Vec<f64> =
                    (0..ROUNDS).map(|_| draws.resampled_percentile(&samples, p)).collect();
                let plain: Vec<f64> =
                    (0..ROUNDS).map(|_| plain_percentile(&mut draws, &samples, p)).collect();
                // 1.95 sqrt(2 / rounds) is the 0.1 % critical value.
                let limit = 1.95 * (2.0 / ROUNDS as f64).sqrt();
                let apart = distance(quick, plain);
                assert!(apart < limit, "n {n}, p {percent}: {apart} > {limit}");
            }
        }
    }

    fn plain_percentile(draws: &mut Draws, samples: &Samples, p: Percentile) -> f64 {
        let n = samples.len();
        let resample = (0..n).map(|_| samples.as_sorted()[draws.index(n)]);
        Samples::new(resample).unwrap().percentile(p)
    }

    fn distance(a: Vec<f64>, b: Vec<f64>) -> f64 {
        let (a, b) = (Samples::new(a).unwrap(), Samples::new(b).unwrap());
        let below = |s: &Samples, x: f64| {
            s.as_sorted().partition_point(|&y| y <= x + 1e-9) as f64 / s.len() as f64
        };
        let apart = a.as_sorted().iter().chain(b.as_sorted());
        apart.map(|&x| (below(&a, x) - below(&b, x)).abs()).fold(0.0, f64::max)
    }
}
