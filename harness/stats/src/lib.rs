//! Statistics of `lumos`: pure functions over samples. No I/O, no clock, no
//! global state; the same samples and seed give the same numbers everywhere.
//!
//! | file | question it answers |
//! |---|---|
//! | [`samples`](Samples) | what do these numbers look like? (percentiles, MAD, outliers) |
//! | [`bootstrap`](ci) | how sure is a percentile? |
//! | [`ratio`](ratio_of_blocks) | how much slower is one side than the other? |
//! | [`runs`](ratio_of_runs) | how much slower is one run than another? |
//! | [`verdict`](Band) | is that a difference, beyond margin and noise? |
//! | `draws` | the seeded randomness that the intervals share |
//!
//! The usual way through: rows become [`Samples`] for a summary, and
//! [`PairedBlock`]s for a comparison.
//!
//! ```
//! use lumos_stats::*;
//!
//! # fn main() -> Result<(), Error> {
//! let plan = Bootstrap::default(); // 95 %, 10,000 resamples, a fixed seed
//! let warm = Samples::from_nanos([510, 498, 502, 530, 505, 499, 507])?;
//! let p50 = ci(&warm, Percentile::MEDIAN, &plan);
//! assert!(p50.lo <= 505.0 && 505.0 <= p50.hi);
//!
//! let block = |base: f64, candidate: f64| PairedBlock {
//!     base: vec![base, base + 1.0],
//!     candidate: vec![candidate, candidate + 2.0],
//! };
//! let native_twice: Vec<_> = (0..10).map(|i| block(500.0, 499.0 + f64::from(i % 3))).collect();
//! let slow: Vec<_> = (0..10).map(|i| block(500.0 + f64::from(i), 600.0)).collect();
//!
//! let floor = NoiseFloor::from_control(&ratio_of_blocks(&native_twice, &plan)?)?;
//! let band = Band::new(Margin::default(), floor);
//! assert_eq!(band.verdict(&ratio_of_blocks(&slow, &plan)?), Verdict::Slower);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod bootstrap;
mod draws;
mod error;
mod ratio;
mod runs;
mod samples;
mod verdict;

pub use bootstrap::{Bootstrap, Interval, Level, Reliability, ci};
pub use error::Error;
pub use ratio::{
    FEW_BLOCKS, PairedBlock, RatioInterval, geometric_mean, ratio_of_blocks, ratio_of_medians,
};
pub use runs::{blocks_needed, ratio_of_runs};
pub use samples::{Fences, Outliers, Percentile, Samples};
pub use verdict::{Band, Margin, NoiseFloor, Verdict};
