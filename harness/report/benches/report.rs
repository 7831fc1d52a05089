//! What `lumos report` costs: it reads every row of a run, and a run may have a million.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;
use std::path::PathBuf;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lumos_analysis::gather::Gather;
use lumos_analysis::summary::Summary;
use lumos_model::row::Row;
use lumos_record::Rows;
use lumos_testkit::samples::{FUNCTIONS, TARGETS, run};

/// 2 starts x 3 functions x 7 targets x 50 blocks x 5 samples, and a control pair.
fn rows() -> Vec<Row> {
    run(&FUNCTIONS, &TARGETS, 50)
}

fn reading(c: &mut Criterion) {
    let rows = rows();
    let mut lines = Vec::new();
    for row in &rows {
        serde_json::to_writer(&mut lines, row).expect("plain data");
        lines.push(b'\n');
    }
    let mut group = c.benchmark_group("rows");
    group.throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("read", |b| {
        b.iter(|| Rows::new(black_box(lines.as_slice()), PathBuf::new()).count());
    });
    group.bench_function("gather", |b| {
        b.iter(|| {
            let mut gather = Gather::default();
            rows.iter().for_each(|row| gather.add(row));
            gather
        });
    });
    group.finish();
}

fn summarising(c: &mut Criterion) {
    let rows = rows();
    c.bench_function("summary of 42 cells of 250 samples", |b| {
        b.iter(|| Summary::from_rows(black_box(&rows).iter().cloned(), 42));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = reading, summarising
}
criterion_main!(benches);
