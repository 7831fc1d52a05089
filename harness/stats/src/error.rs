//! What can be wrong with an input; each message says how to mend it.

/// An input that cannot be analysed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There was not a single sample.
    #[error("no samples: the cell has no successful invocation; look at its failures")]
    NoSamples,
    /// A sample is NaN, infinite, or larger in magnitude than
    /// [`Samples::LIMIT`](crate::Samples::LIMIT).
    #[error("sample {index} is {value}: pass finite numbers of at most 1e150 in magnitude")]
    NotFinite {
        /// Position in the input.
        index: usize,
        /// The offending value.
        value: f64,
    },
    /// A ratio was asked for, and this sample is zero, negative or vanishing.
    #[error("a ratio needs positive samples, and one is {value}: compare differences instead")]
    NotPositive {
        /// The offending value.
        value: f64,
    },
    /// No blocks were given.
    #[error("no paired blocks: base and candidate have no block in common")]
    NoBlocks,
    /// One side of a block has no samples.
    #[error("block {block} has no samples on one side: leave it out and report it as failed")]
    EmptyBlock {
        /// Position in the input.
        block: usize,
    },
    /// Not a percentile.
    #[error("percentile {0} is outside 0..=100")]
    BadPercentile(f64),
    /// Not a confidence level.
    #[error("confidence level {0} is outside 0.5..=0.9999: write 95 % as 0.95")]
    BadLevel(f64),
    /// Too few resamples for the level's tails, or more than is sensible.
    #[error("{given} resamples: this level needs {min}..={max}")]
    BadResamples {
        /// What was asked for.
        given: u32,
        /// The smallest number whose tails hold one replicate.
        min: u32,
        /// The largest number accepted (8 bytes of memory each).
        max: u32,
    },
    /// Not a margin.
    #[error("margin {0} is not a finite number of at least 0: write 1 % as 0.01")]
    BadMargin(f64),
    /// The ends of a ratio interval are not positive, finite and in order.
    #[error("[{lo}, {hi}] around {estimate} is not an interval of positive ratios")]
    BadInterval {
        /// Lower end.
        lo: f64,
        /// Point estimate.
        estimate: f64,
        /// Upper end.
        hi: f64,
    },
    /// The control pair is too small to bound the noise.
    #[error("the control pair has too few samples for a noise floor: raise `repetitions`")]
    ControlTooSmall,
}
