//! The cost of intervals. A summary needs a few dozen for each cell of a run.
#![allow(missing_docs, reason = "criterion's macros create undocumented items")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use lumos_stats::{Bootstrap, PairedBlock, Percentile, Samples, ci, ratio_of_blocks};

/// Durations spread around 1 ms, without a random generator.
fn nanos(count: usize) -> Vec<f64> {
    (0..count as u64).map(|i| 1e6 + (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as f64).collect()
}

fn blocks(count: usize, samples: usize) -> Vec<PairedBlock> {
    nanos(2 * count * samples)
        .chunks(2 * samples)
        .map(|chunk| PairedBlock {
            base: chunk[..samples].to_vec(),
            candidate: chunk[samples..].to_vec(),
        })
        .collect()
}

fn percentiles(c: &mut Criterion) {
    let mut group = c.benchmark_group("ci of 10,000 resamples");
    let bootstrap = Bootstrap::default();
    for count in [10, 1_000, 100_000] {
        let samples = Samples::new(nanos(count)).expect("finite");
        for (name, p) in [("median", Percentile::MEDIAN), ("p99", Percentile::P99)] {
            group.bench_function(BenchmarkId::new(name, count), |b| {
                b.iter(|| ci(black_box(&samples), p, &bootstrap));
            });
        }
    }
}

fn ratios(c: &mut Criterion) {
    let mut group = c.benchmark_group("ratio of 10,000 resamples");
    let bootstrap = Bootstrap::default();
    for (count, samples) in [(4, 10), (12, 5), (20, 50)] {
        let blocks = blocks(count, samples);
        group.bench_function(format!("{count} blocks of {samples}"), |b| {
            b.iter(|| ratio_of_blocks(black_box(&blocks), &bootstrap).expect("positive"));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = percentiles, ratios
}
criterion_main!(benches);
