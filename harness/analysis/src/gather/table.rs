//! The samples of a cell as a table: a row per counted invocation, a column per metric.
//!
//! Columns of plain numbers keep a run of a million rows within some hundred megabytes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::metric::Metric;

/// The values of one metric, by the number of their block.
pub(crate) type Blocks<'a> = BTreeMap<u32, Cow<'a, [f64]>>;

/// Samples, grouped by block after [`SampleTable::group`].
#[derive(Debug, Default)]
pub(crate) struct SampleTable {
    /// The block of each row.
    blocks: Vec<u32>,
    columns: BTreeMap<Metric, Vec<f64>>,
    /// The rows of each block.
    ranges: BTreeMap<u32, Range<usize>>,
}

/// What a column holds for a sample without a value.
const fn absent(metric: Metric) -> f64 {
    match metric {
        Metric::Phase(_) => 0.0,
        _ => f64::NAN,
    }
}

impl SampleTable {
    /// Adds a sample of `block` with the values that it has.
    pub fn push(&mut self, block: u32, values: impl IntoIterator<Item = (Metric, u64)>) {
        let row = self.blocks.len();
        self.blocks.push(block);
        for (metric, value) in values {
            let column = self.columns.entry(metric).or_default();
            column.resize(row, absent(metric));
            column.push(value as f64);
        }
    }

    /// Puts the samples in the order of their blocks. Samples that are added later are not
    /// seen by the readers below.
    pub fn group(&mut self) {
        let rows = self.blocks.len();
        for (metric, column) in &mut self.columns {
            column.resize(rows, absent(*metric));
            column.shrink_to_fit();
        }
        if !self.blocks.is_sorted() {
            let mut order: Vec<usize> = (0..rows).collect();
            order.sort_by_key(|row| self.blocks[*row]);
            for column in self.columns.values_mut() {
                *column = order.iter().map(|row| column[*row]).collect();
            }
            self.blocks.sort_unstable();
        }
        let mut begin = 0;
        for block in self.blocks.chunk_by(|a, b| a == b) {
            self.ranges.insert(block[0], begin..begin + block.len());
            begin += block.len();
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Number of blocks that have samples.
    pub fn block_count(&self) -> usize {
        self.ranges.len()
    }

    /// The metrics of which any sample has a value.
    pub fn metrics(&self) -> impl Iterator<Item = Metric> + '_ {
        self.columns.keys().copied()
    }

    /// All values of `metric`.
    pub fn values(&self, metric: Metric) -> impl Iterator<Item = f64> + '_ {
        let column = self.columns.get(&metric).map_or(&[][..], Vec::as_slice);
        column.iter().copied().filter(|value| !value.is_nan())
    }

    /// The values of `metric` by block, without blocks that have none.
    pub fn by_block(&self, metric: Metric) -> Blocks<'_> {
        let values = |(block, range): (&u32, &Range<usize>)| {
            let values = self.of_rows(metric, range.clone());
            (!values.is_empty()).then_some((*block, values))
        };
        self.ranges.iter().filter_map(values).collect()
    }

    fn of_rows(&self, metric: Metric, rows: Range<usize>) -> Cow<'_, [f64]> {
        match (self.columns.get(&metric), metric) {
            (Some(column), _) => {
                let values = &column[rows];
                match values.iter().any(|value| value.is_nan()) {
                    false => Cow::Borrowed(values),
                    true => values.iter().copied().filter(|value| !value.is_nan()).collect(),
                }
            }
            // No sample of the cell has the phase.
            (None, Metric::Phase(_)) => vec![absent(metric); rows.len()].into(),
            (None, _) => Cow::Borrowed(&[]),
        }
    }
}

#[cfg(test)]
mod tests {
    use lumos_model::phase::Phase;

    use super::*;

    const COMPUTE: Metric = Metric::Phase(Phase::Compute);

    /// Blocks 1 and 0, interleaved; CPU time is known of two samples, compute of one.
    fn table() -> SampleTable {
        let mut table = SampleTable::default();
        table.push(1, [(Metric::Total, 10)]);
        table.push(0, [(Metric::Total, 20), (Metric::Cpu, 5)]);
        table.push(1, [(Metric::Total, 30), (COMPUTE, 7)]);
        table.push(0, [(Metric::Total, 40), (Metric::Cpu, 6)]);
        table.group();
        table
    }

    fn blocks(metric: Metric) -> Vec<(u32, Vec<f64>)> {
        let table = table();
        table.by_block(metric).into_iter().map(|(block, of)| (block, of.into_owned())).collect()
    }

    #[test]
    fn samples_are_grouped_by_block() {
        assert_eq!(blocks(Metric::Total), [(0, vec![20.0, 40.0]), (1, vec![10.0, 30.0])]);
        assert_eq!((table().len(), table().block_count()), (4, 2));
    }

    #[test]
    fn absent_values_are_left_out_and_absent_phases_are_zero() {
        assert_eq!(blocks(Metric::Cpu), [(0, vec![5.0, 6.0])]);
        assert_eq!(blocks(COMPUTE), [(0, vec![0.0, 0.0]), (1, vec![0.0, 7.0])]);
        assert_eq!(table().values(COMPUTE).count(), 4);
        let queue = Metric::Phase(Phase::Queue);
        assert_eq!(blocks(queue), [(0, vec![0.0, 0.0]), (1, vec![0.0, 0.0])]);
        assert_eq!(blocks(Metric::MemoryPeak), []);
        assert_eq!(table().metrics().collect::<Vec<_>>(), [Metric::Total, COMPUTE, Metric::Cpu]);
    }
}
