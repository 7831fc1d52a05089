//! Blocks of two sides that lie close in time.

use std::borrow::Cow;

use lumos_stats::PairedBlock;

use crate::gather::Blocks;

/// Block k of one with block k of the other, where both have samples.
pub(crate) fn paired(base: &Blocks, candidate: &Blocks) -> Vec<PairedBlock> {
    let pair = |(number, base): (&u32, &Cow<'_, [f64]>)| {
        let candidate = candidate.get(number)?.to_vec();
        Some(PairedBlock { base: base.to_vec(), candidate })
    };
    base.iter().filter_map(pair).collect()
}
