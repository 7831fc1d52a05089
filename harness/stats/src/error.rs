//! Errors in the input; each message says how to correct it.

/// An input that cannot be analysed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There are no samples.
    #[error("no samples: the cell has no successful invocation; look at its failures")]
    NoSamples,
    /// A sample is NaN, infinite, or larger in magnitude than
    /// [`Samples::LIMIT`](crate::Samples::LIMIT).
    #[error(
        "sample {index} is {value}: samples must be finite numbers of at most 1e150 in magnitude"
    )]
    NotFinite {
        /// Position in the input.
        index: usize,
        /// The offending value.
        value: f64,
    },
    /// A ratio needs positive samples, and this one is zero, negative or too close to zero.
    #[error("a ratio needs positive samples, but one is {value}: compare differences instead")]
    NotPositive {
        /// The offending value.
        value: f64,
    },
    /// There are no blocks.
    #[error("no paired blocks: base and candidate have no block in common")]
    NoBlocks,
    /// One side of a block has no samples.
    #[error(
        "block {block} has no samples on one side: leave the block out and report it as failed"
    )]
    EmptyBlock {
        /// Position in the input.
        block: usize,
    },
    /// The number is not a percentile.
    #[error("percentile {0} is outside 0..=100")]
    BadPercentile(f64),
    /// The number is not a confidence level.
    #[error("confidence level {0} is outside 0.5..=0.9999: write 95 % as 0.95")]
    BadLevel(f64),
    /// Too few resamples for the tails of the level, or too many to store.
    #[error("the number of resamples is {given}: this level needs {min}..={max}")]
    BadResamples {
        /// The given number.
        given: u32,
        /// The smallest number whose tails hold one replicate.
        min: u32,
        /// The largest accepted number; each resample takes 8 bytes of memory.
        max: u32,
    },
    /// The number is not a margin.
    #[error("margin {0} is not a finite number of at least 0: write 1 % as 0.01")]
    BadMargin(f64),
    /// The number is not a noise floor.
    #[error("noise floor {0} is not a finite number of at least 0: write 1 % as 0.01")]
    BadNoiseFloor(f64),
    /// The ends of a ratio interval are not positive, finite and in ascending order.
    #[error("[{lo}, {hi}] around {estimate} is not an interval of positive ratios")]
    BadInterval {
        /// Lower end.
        lo: f64,
        /// Point estimate.
        estimate: f64,
        /// Upper end.
        hi: f64,
    },
    /// The control pair has too few samples to show the noise.
    #[error("the control pair has too few samples for a noise floor: raise `repetitions`")]
    ControlTooSmall,
}
