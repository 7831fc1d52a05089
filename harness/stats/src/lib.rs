//! Statistics of `lumos`: pure functions over samples.
//!
//! Numbers in one unit go in: [`Samples`] for a summary, [`PairedBlock`]s for a comparison within a
//! run, blocks of two runs for a comparison of runs. Estimates with intervals come out, and
//! [`Verdict`]s on ratios. There is no I/O, no clock and no global state: the same samples and seed
//! give the same numbers on every machine.
//!
//! | file | content |
//! |---|---|
//! | [`samples`](Samples) | a set of samples: percentiles, deviation, outliers |
//! | [`interval`](Interval) | an estimate with its confidence interval, and how far to trust it |
//! | [`bootstrap`](ci) | the interval of a percentile |
//! | [`ratio`](ratio_of_medians) | the ratio of two independent sets |
//! | [`blocks`](ratio_of_blocks) | the ratio of two sides, from paired blocks of one run |
//! | [`runs`](ratio_of_runs) | the ratio of two runs |
//! | [`verdict`](Band) | from a ratio to a verdict: faster, slower, equivalent, unsure |
//! | `draws` | the seeded randomness of all intervals |
//! | [`error`](Error) | inputs that cannot be analysed |
//!
//! ```
//! use lumos_stats::*;
//!
//! # fn main() -> Result<(), Error> {
//! let bootstrap = Bootstrap::default(); // 95 %, 10,000 resamples, a fixed seed
//! let warm = Samples::from_nanos([510, 498, 502, 530, 505, 499, 507])?;
//! let p50 = ci(&warm, Percentile::MEDIAN, &bootstrap);
//! assert!(p50.lo <= 505.0 && 505.0 <= p50.hi);
//!
//! let block = |base: f64, candidate: f64| PairedBlock {
//!     base: vec![base, base + 1.0],
//!     candidate: vec![candidate, candidate + 2.0],
//! };
//! let native_twice: Vec<_> = (0..10).map(|i| block(500.0, 499.0 + f64::from(i % 3))).collect();
//! let slow: Vec<_> = (0..10).map(|i| block(500.0 + f64::from(i), 600.0)).collect();
//!
//! let floor = NoiseFloor::from_control(&ratio_of_blocks(&native_twice, &bootstrap)?)?;
//! let band = Band::new(Margin::default(), floor);
//! assert_eq!(band.verdict(&ratio_of_blocks(&slow, &bootstrap)?), Verdict::Slower);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod blocks;
mod bootstrap;
mod draws;
mod error;
mod interval;
mod ratio;
mod runs;
mod samples;
mod verdict;

pub use blocks::{FEW_BLOCKS, PairedBlock, ratio_of_blocks};
pub use bootstrap::{Bootstrap, ci};
pub use error::Error;
pub use interval::{Interval, Level, Reliability};
pub use ratio::{RatioInterval, geometric_mean, ratio_of_medians};
pub use runs::{blocks_needed, ratio_of_runs};
pub use samples::{Fences, Outliers, Percentile, Samples};
pub use verdict::{Band, Margin, NoiseFloor, Verdict};
