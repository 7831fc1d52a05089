//! Random numbers that are the same on every machine and in every version.
//!
//! Only the generator comes from a crate that draws: ChaCha8 is specified to the bit. The
//! logarithm is that of crate `libm`, pure Rust, since the C libraries of two machines may
//! differ in its last bit. Everything else is one IEEE 754 operation, which is exact.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What numbers are drawn for: each purpose has a stream of its own, so that to ask for
/// idle gaps does not change the arrivals between them.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// The arrivals themselves.
    Arrivals,
    /// Which requests are delayed.
    Delays,
    /// How often a recorded arrival is repeated.
    Scale,
    /// Which requests are injected a failure.
    Injection,
    /// What one client of a closed loop does.
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

/// A seeded source of random numbers.
#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The numbers of `seed` for `purpose`.
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(purpose.stream());
        Self(rng)
    }

    /// Above 0, at most 1, in steps of 2^-53.
    pub fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    /// Exponentially distributed with mean 1, by inversion.
    pub fn exponential(&mut self) -> f64 {
        // Adding zero turns the -0.0 of ln 1 into 0.0.
        -libm::log(self.unit()) + 0.0
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() <= probability
    }

    /// `number`, rounded up with the probability of its fraction and down otherwise.
    pub fn round(&mut self, number: f64) -> u64 {
        let floor = number.floor();
        floor as u64 + u64::from(self.chance(number - floor))
    }
}
