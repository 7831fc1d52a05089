//! Ratios of medians, candidate over base, from paired blocks or from two
//! independent sets.

use crate::draws::Draws;
use crate::{Bootstrap, Error, Interval, Level, Percentile, Reliability, Samples};

/// Below this number of blocks, [`ratio_of_blocks`] also resamples within them.
pub const FEW_BLOCKS: usize = 8;

/// The samples of base and candidate measured close together in time, in one
/// unit and any order. What disturbs a block disturbs both sides.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PairedBlock {
    /// The samples of the base, such as `native`.
    pub base: Vec<f64>,
    /// The samples of what is compared with it.
    pub candidate: Vec<f64>,
}

/// An interval of a ratio candidate / base, without unit: above 1 the candidate
/// takes longer. Positive, finite and in order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioInterval(Interval);

impl RatioInterval {
    /// Takes an interval that was computed elsewhere.
    ///
    /// # Errors
    /// [`Error::BadInterval`] unless 0 < lo <= estimate <= hi < infinity.
    pub fn new(interval: Interval) -> Result<Self, Error> {
        let Interval { estimate, lo, hi, .. } = interval;
        if 0.0 < lo && lo <= estimate && estimate <= hi && hi.is_finite() {
            Ok(Self(interval))
        } else {
            Err(Error::BadInterval { lo, estimate, hi })
        }
    }

    /// The ratio of the medians themselves.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        self.0.estimate
    }

    /// The lower end.
    #[must_use]
    pub fn lo(&self) -> f64 {
        self.0.lo
    }

    /// The upper end.
    #[must_use]
    pub fn hi(&self) -> f64 {
        self.0.hi
    }

    /// Whether it can be relied on.
    #[must_use]
    pub fn reliability(&self) -> Reliability {
        self.0.reliability
    }

    /// All of it.
    #[must_use]
    pub fn interval(&self) -> &Interval {
        &self.0
    }
}

/// The ratio of the medians of two sets measured independently of each other,
/// each resampled by itself.
///
/// Drift between the two measurements is not in the interval: where blocks
/// exist, use [`ratio_of_blocks`], or [`ratio_of_runs`](crate::ratio_of_runs).
///
/// # Errors
/// [`Error::NotPositive`] if a sample of either is not.
pub fn ratio_of_medians(
    base: &Samples,
    candidate: &Samples,
    plan: &Bootstrap,
) -> Result<RatioInterval, Error> {
    positive(base)?;
    positive(candidate)?;
    let reliability = side_reliability(base.len(), candidate.len(), plan.level());
    let estimate = candidate.median() / base.median();
    let interval = plan.interval(estimate, reliability, |draws| {
        let below = draws.resampled_percentile(base, Percentile::MEDIAN);
        draws.resampled_percentile(candidate, Percentile::MEDIAN) / below
    });
    RatioInterval::new(interval)
}

/// The ratio of the medians of all candidate and all base samples, from blocks.
///
/// Samples of a block are alike, so the block is what is resampled: each
/// replicate draws as many blocks as there are, with replacement and with both of
/// their sides, and divides the medians of the two pools (the cluster bootstrap:
/// Davison and Hinkley, "Bootstrap Methods and Their Application", 1997, 3.8). Drift
/// that both sides of a block share cancels.
///
/// With fewer than [`FEW_BLOCKS`] blocks there are too few distinct draws: the
/// samples of each drawn block are then resampled too, each side by itself. That
/// widens the interval, and it is flagged [`Reliability::FewBlocks`].
///
/// # Errors
/// [`Error::NoBlocks`] for none, [`Error::EmptyBlock`] if a side of one is empty,
/// [`Error::NotFinite`] and [`Error::NotPositive`] for such samples.
pub fn ratio_of_blocks(blocks: &[PairedBlock], plan: &Bootstrap) -> Result<RatioInterval, Error> {
    if blocks.is_empty() {
        return Err(Error::NoBlocks);
    }
    let mut base = Pool::new(blocks.iter().map(|block| block.base.as_slice()))?;
    let mut candidate = Pool::new(blocks.iter().map(|block| block.candidate.as_slice()))?;

    let few = blocks.len() < FEW_BLOCKS;
    let sides = side_reliability(base.samples.len(), candidate.samples.len(), plan.level());
    let reliability = match few {
        true => sides.max(Reliability::FewBlocks),
        false => sides,
    };
    let estimate = candidate.samples.median() / base.samples.median();
    let mut drawn = vec![0; blocks.len()];
    let interval = plan.interval(estimate, reliability, |draws| {
        drawn.fill(0);
        for _ in 0..blocks.len() {
            drawn[draws.index(blocks.len())] += 1;
        }
        if few {
            let below = base.median_within(&drawn, draws);
            candidate.median_within(&drawn, draws) / below
        } else {
            candidate.median_of(&drawn) / base.median_of(&drawn)
        }
    });
    RatioInterval::new(interval)
}

/// The geometric mean of ratios, exp(mean(ln r)): the only mean for which the
/// order of normalising and averaging does not matter (Fleming and Wallace, "How
/// not to lie with statistics", CACM 29(3), 1986).
///
/// # Errors
/// [`Error::NoSamples`] for none, [`Error::NotFinite`] and [`Error::NotPositive`]
/// for such ratios.
pub fn geometric_mean(ratios: impl IntoIterator<Item = f64>) -> Result<f64, Error> {
    let ratios = Samples::new(ratios)?;
    positive(&ratios)?;
    let logs: f64 = ratios.as_sorted().iter().map(|&r| libm::log(r)).sum();
    let mean = libm::exp(logs / ratios.len() as f64);
    Ok(mean.clamp(ratios.min(), ratios.max()))
}

/// One side's samples of all blocks, sorted together, so that a replicate is a
/// count for each rank and its median a walk over the counts.
struct Pool {
    samples: Samples,
    /// The block of each rank.
    block_of: Vec<usize>,
    /// The ranks of each block.
    ranks_of: Vec<Vec<usize>>,
    /// How often the current replicate holds each rank.
    counts: Vec<usize>,
}

impl Pool {
    fn new<'a>(blocks: impl Iterator<Item = &'a [f64]>) -> Result<Self, Error> {
        let mut tagged = Vec::new();
        let mut ranks_of = Vec::new();
        for (block, side) in blocks.enumerate() {
            if side.is_empty() {
                return Err(Error::EmptyBlock { block });
            }
            tagged.extend(side.iter().map(|&value| (value, block)));
            ranks_of.push(Vec::with_capacity(side.len()));
        }
        let samples = Samples::new(tagged.iter().map(|&(value, _)| value))?;
        positive(&samples)?;

        tagged.sort_by(|a, b| a.0.total_cmp(&b.0));
        let block_of: Vec<usize> = tagged.into_iter().map(|(_, block)| block).collect();
        for (rank, &block) in block_of.iter().enumerate() {
            ranks_of[block].push(rank);
        }
        Ok(Self { counts: vec![0; block_of.len()], samples, block_of, ranks_of })
    }

    /// The median of whole blocks, each taken `drawn` times.
    fn median_of(&mut self, drawn: &[usize]) -> f64 {
        for (count, &block) in self.counts.iter_mut().zip(&self.block_of) {
            *count = drawn[block];
        }
        self.counted_median()
    }

    /// The median of blocks taken `drawn` times, resampled anew each time.
    fn median_within(&mut self, drawn: &[usize], draws: &mut Draws) -> f64 {
        self.counts.fill(0);
        for (ranks, &times) in self.ranks_of.iter().zip(drawn) {
            for _ in 0..times * ranks.len() {
                self.counts[ranks[draws.index(ranks.len())]] += 1;
            }
        }
        self.counted_median()
    }

    fn counted_median(&self) -> f64 {
        let sorted = self.samples.as_sorted();
        let total: usize = self.counts.iter().sum();
        let at = Percentile::MEDIAN.position(total);
        let mut seen = 0;
        let mut lower = None;
        for (&value, &count) in sorted.iter().zip(&self.counts) {
            seen += count;
            if seen > at.rank {
                let lower = *lower.get_or_insert(value);
                // The upper neighbour does not exist at the end or with weight 0.
                if seen > at.rank + 1 || at.weight == 0.0 {
                    return at.between(lower, value);
                }
            }
        }
        lower.unwrap_or_else(|| self.samples.max())
    }
}

/// The median of each block.
pub(crate) fn medians(blocks: &[Vec<f64>]) -> Result<Vec<f64>, Error> {
    let median = |(block, samples): (usize, &Vec<f64>)| match samples.is_empty() {
        true => Err(Error::EmptyBlock { block }),
        false => Ok(Samples::new(samples.iter().copied())?.median()),
    };
    blocks.iter().enumerate().map(median).collect()
}

/// Ratios need samples above zero, and not so near it that they overflow.
pub(crate) fn positive(samples: &Samples) -> Result<(), Error> {
    match samples.min() {
        value if value < 1.0 / Samples::LIMIT => Err(Error::NotPositive { value }),
        _ => Ok(()),
    }
}

/// Two sides of n and m samples that do not differ separate completely, all of
/// one below all of the other, with probability 2 / C(n + m, n). If that is more
/// than the level leaves, no outcome is evidence (the smallest p-value of the
/// rank-sum test: Mann and Whitney, Annals of Mathematical Statistics 18(1), 1947).
/// At 95 % each side needs 4 samples, at 99 % 5.
fn side_reliability(n: usize, m: usize, level: Level) -> Reliability {
    let smaller = n.min(m);
    let mut orders = 1.0;
    for i in 1..=smaller {
        orders *= (n.max(m) + i) as f64 / i as f64;
        if orders > 1e9 {
            break;
        }
    }
    if smaller == 1 || 2.0 / orders > level.alpha() {
        Reliability::TooFewSamples
    } else if smaller < 5 {
        Reliability::FewSamples
    } else {
        Reliability::Sound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(base: &[f64], candidate: &[f64]) -> PairedBlock {
        PairedBlock { base: base.to_vec(), candidate: candidate.to_vec() }
    }

    #[test]
    fn bad_blocks_are_refused() {
        let plan = Bootstrap::default();
        let of = |blocks: &[PairedBlock]| ratio_of_blocks(blocks, &plan).unwrap_err();
        let good = block(&[1.0], &[1.0]);
        assert_eq!(of(&[]), Error::NoBlocks);
        assert_eq!(of(&[good.clone(), block(&[1.0], &[])]), Error::EmptyBlock { block: 1 });
        assert_eq!(of(&[good.clone(), block(&[0.0], &[1.0])]), Error::NotPositive { value: 0.0 });
        assert!(matches!(of(&[good, block(&[1.0], &[f64::NAN])]), Error::NotFinite { .. }));
    }

    #[test]
    fn the_estimate_is_the_ratio_of_pooled_medians() {
        let blocks = [block(&[1.0, 9.0], &[30.0]), block(&[2.0], &[10.0, 20.0])];
        let ratio = ratio_of_blocks(&blocks, &Bootstrap::default()).unwrap();
        assert_eq!(ratio.estimate(), 10.0);
    }

    #[test]
    fn drift_shared_by_a_block_cancels() {
        // The machine becomes ten times slower; the ratio stays 1.5.
        let blocks: Vec<_> =
            (1..=10).map(|i| f64::from(i) * 100.0).map(|t| block(&[t; 5], &[1.5 * t; 5])).collect();
        let plan = Bootstrap::default();
        let paired = ratio_of_blocks(&blocks, &plan).unwrap();
        assert!((paired.lo() - 1.5).abs() < 1e-12 && (paired.hi() - 1.5).abs() < 1e-12);

        let side = |f: fn(&PairedBlock) -> &Vec<f64>| {
            Samples::new(blocks.iter().flat_map(f).copied()).unwrap()
        };
        let unpaired = ratio_of_medians(&side(|b| &b.base), &side(|b| &b.candidate), &plan);
        assert!(unpaired.unwrap().interval().width() > 0.5);
    }

    #[test]
    fn the_counted_median_is_the_median_of_the_copies() {
        let mut pool = Pool::new([&[5.0, 1.0][..], &[2.0, 2.0, 8.0], &[3.0]].into_iter()).unwrap();
        for drawn in [[1, 1, 1], [3, 0, 0], [0, 0, 3], [2, 1, 0], [0, 2, 1], [1, 0, 2], [0, 3, 0]] {
            let copies = [&[5.0, 1.0][..], &[2.0, 2.0, 8.0], &[3.0]];
            let flat = copies.iter().zip(drawn).flat_map(|(side, times)| side.repeat(times));
            let expected = Samples::new(flat).unwrap().median();
            assert_eq!(pool.median_of(&drawn), expected, "{drawn:?}");
        }
    }

    #[test]
    fn few_blocks_and_few_samples_are_flagged() {
        let plan = Bootstrap::default();
        let with = |count, samples: usize| {
            let one = block(&vec![1.0; samples], &vec![2.0; samples]);
            ratio_of_blocks(&vec![one; count], &plan).unwrap().reliability()
        };
        assert_eq!(with(8, 1), Reliability::Sound);
        assert_eq!(with(7, 5), Reliability::FewBlocks);
        assert_eq!(with(2, 2), Reliability::FewSamples);
        assert_eq!(with(1, 3), Reliability::TooFewSamples);
    }

    #[test]
    fn sides_that_cannot_show_a_difference_are_no_evidence() {
        use Reliability::{FewSamples, Sound, TooFewSamples};

        for (n, m, level, expected) in [
            (3, 3, Level::P95, TooFewSamples), // 2 / 20
            (4, 4, Level::P95, FewSamples),    // 2 / 70
            (4, 4, Level::P99, TooFewSamples),
            (5, 5, Level::P99, Sound), // 2 / 252
            (3, 9, Level::P95, FewSamples),
            (1, 1000, Level::P95, TooFewSamples),
            (100_000, 100_000, Level::P99, Sound),
        ] {
            assert_eq!(side_reliability(n, m, level), expected, "{n} {m}");
        }
    }

    #[test]
    fn the_geometric_mean_of_reciprocals_is_one() {
        assert!((geometric_mean([4.0, 0.25, 3.0, 1.0 / 3.0]).unwrap() - 1.0).abs() < 1e-15);
        assert!((geometric_mean([2.0, 8.0]).unwrap() - 4.0).abs() < 1e-12);
        assert_eq!(geometric_mean([]), Err(Error::NoSamples));
        assert!(geometric_mean([1.0, 0.0]).is_err());
    }
}
