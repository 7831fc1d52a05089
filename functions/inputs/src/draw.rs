//! Seeded random numbers, the same on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// Random numbers for one file, determined by its kind, its size and the seed.
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    pub fn new(kind: &str, bytes: usize, seed: u64) -> Self {
        let name = format!("lumos/{kind}/{bytes}/{seed}");
        Self(ChaCha8Rng::from_seed(Sha256::digest(name).into()))
    }

    /// A number from 0 to `end` - 1: the upper half of a product, so that no release of a library
    /// can change it. Its bias, below `end` / 2^32, does not matter for texts.
    pub fn below(&mut self, end: usize) -> usize {
        ((u64::from(self.0.next_u32()) * end as u64) >> 32) as usize
    }

    /// Fills `bytes` with random values.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}
