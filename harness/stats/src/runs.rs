//! The ratio of two runs: what was measured at another time has no paired blocks.

use crate::ratio::{medians, positive};
use crate::{Error, Interval, Level, RatioInterval, Reliability, Samples};

/// Up to this product of both numbers of blocks the ranks are exact.
const EXACT: usize = 2_500;

/// The ratio of the medians of two runs of one cell, candidate over base, from the
/// blocks of each.
///
/// Block k of one run has nothing in common with block k of the other, so they are not
/// paired; and the samples of a block are alike, so each block counts once, with its
/// median. With n and m blocks, the interval runs from the k-th smallest to the k-th
/// largest of the n m ratios of two block medians, where k comes from the rank-sum
/// distribution (Hodges and Lehmann, "Estimates of location based on rank tests",
/// Annals of Mathematical Statistics 34(2), 1963; Moses in Walker and Lev, 1953). It
/// assumes no distribution of the noise and keeps its level exactly at every level and
/// number of blocks. That is why this is no bootstrap: with ten blocks and the level that
/// twenty cells need, percentile intervals over blocks are too narrow, and one of twenty
/// equal cells was called different in 5 to 22 % of simulated comparisons; the rank
/// interval stays at 5 %.
///
/// The estimate is the ratio of the medians of all samples, as tables show it; the
/// interval is widened should that fall outside.
///
/// With fewer than [`blocks_needed`] blocks nothing is
/// [evidence](Reliability::TooFewSamples): even complete separation of both runs is too
/// likely by chance.
///
/// # Errors
/// [`Error::NoBlocks`] for none on a side, [`Error::EmptyBlock`], [`Error::NotFinite`]
/// and [`Error::NotPositive`] for such samples.
pub fn ratio_of_runs(
    base: &[Vec<f64>],
    candidate: &[Vec<f64>],
    level: Level,
) -> Result<RatioInterval, Error> {
    let estimate = pooled(candidate)?.median() / pooled(base)?.median();
    let (base, candidate) = (medians(base)?, medians(candidate)?);
    let mut ratios: Vec<f64> =
        candidate.iter().flat_map(|above| base.iter().map(move |below| above / below)).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let (rank, reliability) = match rank(base.len(), candidate.len(), level.alpha()) {
        0 => (1, Reliability::TooFewSamples),
        rank => (rank, Reliability::Sound),
    };
    let (lo, hi) = (ratios[rank - 1], ratios[ratios.len() - rank]);
    RatioInterval::new(Interval {
        estimate,
        lo: lo.min(estimate),
        hi: hi.max(estimate),
        level,
        reliability,
    })
}

/// How many blocks each run needs before any outcome of [`ratio_of_runs`] is evidence:
/// the least n with 2 / C(2n, n) <= alpha. At 95 % these are 4; for 20 cells together 6.
#[must_use]
pub fn blocks_needed(level: Level) -> usize {
    (1..).find(|&n| rank(n, n, level.alpha()) > 0).unwrap_or(usize::MAX)
}

/// All samples of a run.
fn pooled(blocks: &[Vec<f64>]) -> Result<Samples, Error> {
    if blocks.is_empty() {
        return Err(Error::NoBlocks);
    }
    let samples = Samples::new(blocks.iter().flatten().copied())?;
    positive(&samples)?;
    Ok(samples)
}

/// Which ratio from either end is the interval's: the largest k with
/// P(U < k) <= alpha / 2, for U of the rank-sum statistic; 0: there is none.
fn rank(n: usize, m: usize, alpha: f64) -> usize {
    if n * m > EXACT { normal_rank(n, m, alpha) } else { exact_rank(n, m, alpha) }
}

/// Counts the orders of n and m values by U, with the recursion of Mann and Whitney,
/// "On a test of whether one of two random variables is stochastically larger than the
/// other", Annals of Mathematical Statistics 18(1), 1947: the largest value belongs to
/// the one side and exceeds all of the other, or it does not.
fn exact_rank(n: usize, m: usize, alpha: f64) -> usize {
    // share[j][u]: probability that U is u, of i values against j.
    let mut share = vec![vec![1.0]; m + 1];
    for i in 1..=n {
        let mut next = vec![vec![1.0]];
        for j in 1..=m {
            let (of_i, of_j) = (i as f64 / (i + j) as f64, j as f64 / (i + j) as f64);
            let at = |row: &Vec<f64>, u: usize| row.get(u).copied().unwrap_or(0.0);
            let above = |u: usize| u.checked_sub(j).map_or(0.0, |u| at(&share[j], u));
            let row = (0..=i * j).map(|u| of_i * above(u) + of_j * at(&next[j - 1], u)).collect();
            next.push(row);
        }
        share = next;
    }
    let mut below = 0.0;
    let within = |probability: &&f64| {
        below += **probability;
        below <= alpha / 2.0 * (1.0 + 1e-9)
    };
    share[m].iter().take_while(within).count()
}

/// The same for many blocks, by the normal distribution of U with mean n m / 2 and
/// variance n m (n + m + 1) / 12 (Mann and Whitney, 1947).
fn normal_rank(n: usize, m: usize, alpha: f64) -> usize {
    let (n, m) = (n as f64, m as f64);
    let deviation = (n * m * (n + m + 1.0) / 12.0).sqrt();
    (n * m / 2.0 - upper_normal(alpha / 2.0) * deviation).floor().max(0.0) as usize
}

/// The value that a standard normal variable exceeds with probability `tail`, by
/// bisection.
fn upper_normal(tail: f64) -> f64 {
    let (mut lo, mut hi) = (0.0, 40.0);
    for _ in 0..80 {
        let middle = (lo + hi) / 2.0;
        let beyond = 0.5 * libm::erfc(middle / std::f64::consts::SQRT_2);
        if beyond > tail { lo = middle } else { hi = middle }
    }
    hi
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(alpha: f64) -> Level {
        Level::new(1.0 - alpha).unwrap()
    }

    #[test]
    fn ranks_are_those_of_the_published_tables() {
        // Critical values of U at 5 % and 1 %, two-sided: U <= c is significant, so the
        // interval's rank is c + 1 (Mann-Whitney tables, such as Siegel 1956, table K).
        for (n, m, alpha, critical) in [
            (4, 4, 0.05, 0),
            (5, 5, 0.05, 2),
            (8, 8, 0.05, 13),
            (10, 10, 0.05, 23),
            (10, 10, 0.01, 16),
            (20, 20, 0.05, 127),
            (9, 20, 0.05, 48),
        ] {
            assert_eq!(exact_rank(n, m, alpha), critical + 1, "{n} {m} {alpha}");
        }
        assert_eq!(exact_rank(3, 3, 0.05), 0);
    }

    #[test]
    fn many_blocks_go_by_the_normal_distribution() {
        for (n, alpha) in [(30, 0.05), (49, 0.05), (49, 0.001)] {
            let (exact, normal) = (exact_rank(n, n, alpha), normal_rank(n, n, alpha));
            assert!(exact.abs_diff(normal) <= 1 + exact / 100, "{n} {alpha}: {exact} {normal}");
        }
        assert!((upper_normal(0.025) - 1.959_963_985).abs() < 1e-8);
    }

    #[test]
    fn the_blocks_that_are_needed_rise_with_the_cells() {
        let needed = |cells| blocks_needed(Level::P95.shared_by(cells));
        assert_eq!([needed(1), needed(20), needed(121)], [4, 6, 8]);
    }

    #[test]
    fn runs_that_separate_differ_and_equal_ones_do_not() {
        let run = |factor: f64| -> Vec<Vec<f64>> {
            (0..10).map(|i| vec![factor * (100.0 + f64::from(i) / 4.0); 3]).collect()
        };
        let same = ratio_of_runs(&run(1.0), &run(1.0), level(0.01)).unwrap();
        assert!(same.lo() < 1.0 && same.hi() > 1.0 && same.estimate() == 1.0);
        let slower = ratio_of_runs(&run(1.0), &run(1.05), level(0.01)).unwrap();
        assert!(slower.lo() > 1.03 && slower.hi() < 1.07, "{slower:?}");
        assert_eq!(slower.reliability(), Reliability::Sound);
        let few = ratio_of_runs(&run(1.0)[..3], &run(1.05)[..3], Level::P95).unwrap();
        assert_eq!(few.reliability(), Reliability::TooFewSamples);
    }

    #[test]
    fn bad_runs_are_refused() {
        let of = |base: &[Vec<f64>]| ratio_of_runs(base, &[vec![1.0]], Level::P95).unwrap_err();
        assert_eq!(of(&[]), Error::NoBlocks);
        assert_eq!(of(&[vec![1.0], vec![]]), Error::EmptyBlock { block: 1 });
        assert_eq!(of(&[vec![0.0]]), Error::NotPositive { value: 0.0 });
    }
}
