//! Rows made by hand and by rule.

use lumos_model::SCHEMA;
use lumos_model::cell::{Cell, Demand, Isolation, Size, Start, Storage};
use lumos_model::phase::{Phase, Phases};
use lumos_model::row::{Outcome, Row, Sample, Taint, Times};

/// Targets: `native`, and those that are compared with it.
pub const TARGETS: [&str; 7] = [
    "native",
    "container-runc",
    "wasmtime-interp",
    "wasmtime-jit",
    "wasmtime-aot",
    "wasmedge-interp",
    "wasmedge-aot",
];
/// Functions that the rows are of.
pub const FUNCTIONS: [&str; 3] = ["fibonacci", "fuzzy-search", "language-detection"];

/// A cell of small inputs in a process of its own.
pub fn cell(function: &str, target: &str, start: Start) -> Cell {
    Cell {
        function: function.into(),
        size: Size::Small,
        target: target.parse().unwrap(),
        isolation: Isolation::Process,
        storage: Storage::Inline,
        demand: Demand::Each(start),
    }
}

/// A row with a good response that spent all of its time computing.
pub fn row(cell: &Cell, block: u32, seq: u32, total_ns: u64) -> Row {
    let mut phases = Phases::default();
    phases.add(Phase::Compute, total_ns);
    Row {
        schema: SCHEMA,
        cell: cell.clone(),
        block,
        order: block,
        control: false,
        taints: Vec::new(),
        sample: Sample {
            phases_ns: phases,
            ..Sample::unserved(seq, cell.start(), Outcome::Ok, Times { intended_ns: 0, total_ns })
        },
    }
}

/// The same row, of the control pair.
pub fn control(mut row: Row) -> Row {
    row.control = true;
    row
}

/// The same row, of a disturbed block.
pub fn tainted(mut row: Row, taint: Taint) -> Row {
    row.taints.push(taint);
    row
}

/// The same row, failed.
pub fn failed(mut row: Row, outcome: Outcome, error: &str) -> Row {
    row.sample.outcome = outcome;
    row.sample.error = Some(error.to_owned());
    row
}

/// Rows of one block for each of `totals`.
pub fn blocks(cell: &Cell, totals: &[&[u64]]) -> Vec<Row> {
    let block = |(block, totals): (usize, &&[u64])| {
        let seqs = totals.iter().enumerate();
        seqs.map(|(seq, ns)| row(cell, block as u32, seq as u32, *ns)).collect::<Vec<_>>()
    };
    totals.iter().enumerate().flat_map(block).collect()
}

/// A run of warm and cold cells with a control pair. Each cell has `blocks` blocks of five
/// samples, or one sample in all for 0. Every target takes another time, and every sample has
/// a little noise.
pub fn run(functions: &[&str], targets: &[&str], blocks: u32) -> Vec<Row> {
    let mut rows = Vec::new();
    for start in [Start::Warm, Start::ColdProcess] {
        for function in functions {
            for target in targets {
                let cell = cell(function, target, start);
                rows.extend(measured(&cell, blocks, 0));
                if *target == "native" && *function == functions[0] {
                    rows.extend(measured(&cell, blocks, 7).into_iter().map(control));
                }
            }
        }
    }
    rows
}

fn measured(cell: &Cell, blocks: u32, salt: u64) -> Vec<Row> {
    let (blocks, samples) = if blocks == 0 { (1, 1) } else { (blocks, 5) };
    let places = (0..blocks).flat_map(|block| (0..samples).map(move |seq| (block, seq)));
    places.map(|(block, seq)| invocation(cell, block, seq, salt)).collect()
}

fn invocation(cell: &Cell, block: u32, seq: u32, salt: u64) -> Row {
    // A few per mille, without a random generator.
    let noise = |of: u64| of + of * ((u64::from(block * 31 + seq * 17) + salt) * 37 % 11) / 1_000;
    let own: u64 = cell.function.bytes().map(u64::from).sum::<u64>() * 1_000;
    let (percent, boot) = match cell.target.as_str() {
        "native" => (100, 1_400_000),
        "container-runc" => (100, 71_000_000),
        "wasmtime-interp" => (1_900, 26_000_000),
        "wasmtime-jit" => (161, 41_000_000),
        "wasmtime-aot" => (155, 2_900_000),
        "wasmedge-interp" => (4_600, 5_900_000),
        _ => (131, 4_700_000),
    };
    let mut phases = Phases::default();
    phases.add(Phase::Request, noise(1_100));
    phases.add(Phase::Compute, noise(own * percent / 100));
    phases.add(Phase::Response, noise(700));
    if cell.start().is_cold() {
        phases.add(Phase::Provision, noise(boot * 4 / 5));
        phases.add(Phase::Load, noise(90_000));
        phases.add(Phase::Instantiate, noise(boot / 5));
    }
    let mut row = row(cell, block, seq, phases.total());
    row.sample.phases_ns = phases;
    row.sample.cpu_ns = Some(phases.total() * 9 / 10);
    row.sample.memory_peak_bytes = Some(noise(3_500_000));
    row
}
