//! The ratio of medians from paired blocks.

use crate::bootstrap::Bootstrap;
use crate::draws::Draws;
use crate::error::Error;
use crate::interval::Reliability;
use crate::ratio::{RatioInterval, positive, side_reliability};
use crate::samples::{Percentile, Samples};

/// With fewer blocks than this, [`ratio_of_blocks`] also resamples within the blocks.
pub const FEW_BLOCKS: usize = 8;

/// Samples of base and candidate that were measured close together in time, in one unit and any
/// order. A disturbance of the block affects both sides.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PairedBlock {
    /// The samples of the base, such as `native`.
    pub base: Vec<f64>,
    /// The samples of the candidate, which is compared with the base.
    pub candidate: Vec<f64>,
}

/// The ratio of the median of all candidate samples to the median of all base samples.
///
/// The samples of a block resemble each other, so whole blocks are resampled (the cluster
/// bootstrap: Davison and Hinkley, "Bootstrap Methods and Their Application", 1997, 3.8). Each
/// replicate draws as many blocks as there are, with replacement and with both sides, and divides
/// the medians of the two pools. Drift that both sides of a block share cancels.
///
/// Fewer than [`FEW_BLOCKS`] blocks give too few distinct draws. In that case the samples of each
/// drawn block are resampled too, each side separately. This widens the interval, which is flagged
/// [`Reliability::FewBlocks`].
///
/// # Errors
/// [`Error::NoBlocks`] without blocks, [`Error::EmptyBlock`] if a side of a block is empty,
/// [`Error::NotFinite`] and [`Error::NotPositive`] for such samples.
pub fn ratio_of_blocks(
    blocks: &[PairedBlock],
    bootstrap: &Bootstrap,
) -> Result<RatioInterval, Error> {
    if blocks.is_empty() {
        return Err(Error::NoBlocks);
    }
    let mut base = Pool::new(blocks.iter().map(|block| block.base.as_slice()))?;
    let mut candidate = Pool::new(blocks.iter().map(|block| block.candidate.as_slice()))?;

    let has_few_blocks = blocks.len() < FEW_BLOCKS;
    let sides = side_reliability(base.samples.len(), candidate.samples.len(), bootstrap.level());
    let reliability = if has_few_blocks { sides.max(Reliability::FewBlocks) } else { sides };
    let estimate = candidate.samples.median() / base.samples.median();
    let mut drawn = vec![0; blocks.len()];
    let interval = bootstrap.interval(estimate, reliability, |draws| {
        drawn.fill(0);
        for _ in 0..blocks.len() {
            drawn[draws.index(blocks.len())] += 1;
        }
        if has_few_blocks {
            let base = base.median_within(&drawn, draws);
            candidate.median_within(&drawn, draws) / base
        } else {
            candidate.median_of(&drawn) / base.median_of(&drawn)
        }
    });
    RatioInterval::new(interval)
}

/// The samples of one side of all blocks, sorted together. A replicate is a count for each rank,
/// and its median is found by a walk over the counts.
struct Pool {
    samples: Samples,
    /// The block that each rank belongs to.
    block_of: Vec<usize>,
    /// The ranks of each block.
    ranks_of: Vec<Vec<usize>>,
    /// How often each rank occurs in the current replicate.
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

    /// The median of blocks taken `drawn` times, and resampled each time.
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
                // The upper neighbour may not exist, and is not needed if its weight is 0.
                if seen > at.rank + 1 || at.weight == 0.0 {
                    return at.between(lower, value);
                }
            }
        }
        lower.unwrap_or_else(|| self.samples.max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ratio::ratio_of_medians;

    fn block(base: &[f64], candidate: &[f64]) -> PairedBlock {
        PairedBlock { base: base.to_vec(), candidate: candidate.to_vec() }
    }

    #[test]
    fn rejects_bad_blocks() {
        let bootstrap = Bootstrap::default();
        let of = |blocks: &[PairedBlock]| ratio_of_blocks(blocks, &bootstrap).unwrap_err();
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
    fn drift_shared_by_both_sides_cancels() {
        // The machine becomes ten times slower, and the ratio remains 1.5.
        let blocks: Vec<_> =
            (1..=10).map(|i| f64::from(i) * 100.0).map(|t| block(&[t; 5], &[1.5 * t; 5])).collect();
        let bootstrap = Bootstrap::default();
        let paired = ratio_of_blocks(&blocks, &bootstrap).unwrap();
        assert!((paired.lo() - 1.5).abs() < 1e-12 && (paired.hi() - 1.5).abs() < 1e-12);

        let side = |f: fn(&PairedBlock) -> &Vec<f64>| {
            Samples::new(blocks.iter().flat_map(f).copied()).unwrap()
        };
        let unpaired = ratio_of_medians(&side(|b| &b.base), &side(|b| &b.candidate), &bootstrap);
        assert!(unpaired.unwrap().interval().width() > 0.5);
    }

    #[test]
    fn the_counted_median_is_the_median_of_the_drawn_samples() {
        let mut pool = Pool::new([&[5.0, 1.0][..], &[2.0, 2.0, 8.0], &[3.0]].into_iter()).unwrap();
        for drawn in [[1, 1, 1], [3, 0, 0], [0, 0, 3], [2, 1, 0], [0, 2, 1], [1, 0, 2], [0, 3, 0]] {
            let copies = [&[5.0, 1.0][..], &[2.0, 2.0, 8.0], &[3.0]];
            let flat = copies.iter().zip(drawn).flat_map(|(side, times)| side.repeat(times));
            let expected = Samples::new(flat).unwrap().median();
            assert_eq!(pool.median_of(&drawn), expected, "{drawn:?}");
        }
    }

    #[test]
    fn flags_few_blocks_and_few_samples() {
        let bootstrap = Bootstrap::default();
        let with = |count, samples: usize| {
            let one = block(&vec![1.0; samples], &vec![2.0; samples]);
            ratio_of_blocks(&vec![one; count], &bootstrap).unwrap().reliability()
        };
        assert_eq!(with(8, 1), Reliability::Sound);
        assert_eq!(with(7, 5), Reliability::FewBlocks);
        assert_eq!(with(2, 2), Reliability::FewSamples);
        assert_eq!(with(1, 3), Reliability::TooFewSamples);
    }
}
