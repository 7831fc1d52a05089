//! Random numbers that are the same on every machine and in every version.
//!
//! Only the generator comes from a library: ChaCha8 is specified to the bit. The logarithm
//! is that of crate `libm`, pure Rust, because the C libraries of two machines may differ in
//! the last bit. Everything else is a single IEEE 754 operation, which is exact.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The use of a sequence of numbers. Each use has its own stream, so that adding idle gaps
/// does not change the arrivals between them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// The arrivals themselves.
    Arrivals,
    /// The choice of requests that are delayed.
    Delays,
    /// The number of copies of a recorded arrival.
    Scale,
    /// The choice of requests whose client disconnects.
    Injection,
    /// The pauses of one client of a closed loop.
    Client(u32),
}

impl Purpose {
    const fn stream(self) -> u64 {
        match self {
            Purpose::Arrivals => 0,
            Purpose::Delays => 1,
            Purpose::Scale => 2,
            Purpose::Injection => 3,
            Purpose::Client(number) => (1 << 32) | number as u64,
        }
    }
}

/// A seeded random number generator.
#[derive(Clone, Debug)]
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    /// The stream of `purpose` for `seed`.
    pub(crate) fn new(seed: u64, purpose: Purpose) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(purpose.stream());
        Self(rng)
    }

    /// Uniform in (0, 1], in steps of 2^-53.
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    /// Exponentially distributed with mean 1, by inversion.
    pub(crate) fn exponential(&mut self) -> f64 {
        // Adding zero turns the -0.0 of ln 1 into 0.0.
        -libm::log(self.unit()) + 0.0
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() <= probability
    }

    /// Rounds up with the probability of the fraction, and down otherwise.
    pub(crate) fn round(&mut self, number: f64) -> u64 {
        let floor = number.floor();
        floor as u64 + u64::from(self.chance(number - floor))
    }
}
