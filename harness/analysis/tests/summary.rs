//! From rows to the summary.

use lumos_analysis::metric::Metric;
use lumos_analysis::summary::{CellSummary, EachNumbers, Summary};
use lumos_model::cell::Start;
use lumos_model::phase::Phase;
use lumos_model::quantity::{Quantity, Unit};
use lumos_model::row::{Outcome, Row, Taint};
use lumos_stats::Verdict;
use lumos_testkit::samples::*;
use proptest::prelude::*;
use proptest::sample::SizeRange;

fn summary(rows: impl IntoIterator<Item = Row>) -> Summary {
    Summary::from_rows(rows.into_iter(), 42)
}

fn each(cell: &CellSummary) -> &EachNumbers {
    cell.each().unwrap()
}

fn ns(value: u64) -> Quantity {
    Quantity { value, unit: Unit::Nanoseconds }
}

fn median_of(cell: &CellSummary, metric: Metric) -> Option<Quantity> {
    each(cell).estimates.get(metric).map(|estimate| estimate.median())
}

#[test]
fn medians_percentiles_and_outliers_are_those_of_the_samples() {
    let cell = cell("noop", "native", Start::Warm);
    let rows = blocks(&cell, &[&[10, 20, 30, 40, 50], &[60, 70, 80, 90, 10_090]]);
    let summary = summary(rows);
    let [only] = &summary.cells[..] else { panic!("{summary:?}") };
    let numbers = each(only);
    let total = numbers.total().unwrap();
    assert_eq!((numbers.n, only.blocks), (10, 2));
    assert_eq!((numbers.few_samples, numbers.outliers), (false, 1));
    assert_eq!(total.median(), ns(55));
    assert_eq!((total.p95(), total.p99()), (ns(5_590), ns(9_190))); // 90 + 0.55 and 0.91 x 10,000
    assert!(total.ci95()[0].value <= 55 && 55 <= total.ci95()[1].value);
    for absent in [Metric::ColdStart, Metric::Cpu, Metric::MemoryPeak] {
        assert_eq!(numbers.estimates.get(absent), None);
    }
    assert_eq!((&only.ratio_to_native, &only.why_no_ratio), (&None, &None));
}

#[test]
fn memory_has_percentiles_and_an_interval_like_times() {
    let cell = cell("noop", "native", Start::Warm);
    let mut rows = blocks(&cell, &[&[10, 20, 30, 40, 50]]);
    for (row, bytes) in rows.iter_mut().zip([1_000, 1_000, 3_000, 5_000]) {
        row.sample.memory_peak_bytes = Some(bytes);
    }
    let summary = summary(rows);
    let memory = each(&summary.cells[0]).estimates.get(Metric::MemoryPeak).unwrap();
    assert_eq!(memory.median(), Quantity { value: 2_000, unit: Unit::Bytes });
    let json = serde_json::to_value(&summary).unwrap();
    let cell = &json["cells"][0];
    assert_eq!(cell["memory_peak_bytes"], 2_000);
    assert_eq!(cell["memory_peak"]["median_bytes"], 2_000);
    assert_eq!(cell["memory_peak"]["p99_bytes"], 4_940);
    assert!(cell["memory_peak"]["ci95_bytes"].is_array(), "{cell}");
}

#[test]
fn tainted_samples_count_and_are_counted() {
    let cell = cell("noop", "native", Start::Warm);
    let twice = tainted(tainted(row(&cell, 0, 0, 10), Taint::Steal), Taint::Load);
    let broken = failed(tainted(row(&cell, 0, 2, 10), Taint::Steal), Outcome::Trap, "dead");
    let summary = summary([twice, row(&cell, 0, 1, 10), broken]);
    let [only] = &summary.cells[..] else { panic!("{summary:?}") };
    assert_eq!((each(only).n, only.tainted), (2, 1));
    assert_eq!(only.taints, [(Taint::Steal, 1), (Taint::Load, 1)].into());
}

#[test]
fn ratios_are_to_the_same_cell_of_native() {
    let native = cell("noop", "native", Start::Warm);
    let aot = cell("noop", "wasmtime-aot", Start::Warm);
    let totals: Vec<Vec<u64>> = (0..10).map(|i| vec![100 + i, 101 + i, 102 + i]).collect();
    let times = |factor: u64| -> Vec<Vec<u64>> {
        totals.iter().map(|block| block.iter().map(|ns| ns * factor).collect()).collect()
    };
    let rows = |cell, factor| {
        let times = times(factor);
        blocks(cell, &times.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    let summary = summary(rows(&native, 1).into_iter().chain(rows(&aot, 3)));
    let ratio = summary.cells[1].ratio_to_native.unwrap();
    assert_eq!((ratio.ratio, ratio.verdict, ratio.paired_blocks), (3.0, Verdict::Slower, 10));
    assert!(ratio.ci95[0] <= 3.0 && 3.0 <= ratio.ci95[1]);
    assert_eq!(summary.noise_floor, None);
}

#[test]
fn without_a_partner_a_cell_says_why_it_has_no_ratio() {
    let warm = cell("noop", "wasmtime-aot", Start::Warm);
    let native_cold = cell("noop", "native", Start::ColdProcess);
    let alone = summary([row(&warm, 0, 0, 5), row(&native_cold, 0, 0, 5)]);
    let why = alone.cells.iter().find_map(|cell| cell.why_no_ratio.as_deref());
    assert!(why.unwrap().contains("native was not measured"), "{why:?}");

    let native = cell("noop", "native", Start::Warm);
    let broken = failed(row(&native, 0, 0, 5), Outcome::Trap, "dead");
    let why = summary([row(&warm, 0, 0, 5), broken]).cells[1].why_no_ratio.clone();
    assert!(why.unwrap().contains("no invocation of native counts"));

    let other_block = summary([row(&warm, 0, 0, 5), row(&native, 1, 0, 5)]);
    let why = other_block.cells[1].why_no_ratio.clone();
    assert!(why.unwrap().contains("no block in common"));
}

#[test]
fn a_difference_within_the_noise_is_no_difference() {
    let native = cell("noop", "native", Start::Warm);
    let aot = cell("noop", "wasmtime-aot", Start::Warm);
    // The control is 5 % off; so 3 % is nothing, and 20 % is something.
    let of = |cell, base: u64| (0..10).map(move |b| row(cell, b, 0, base)).collect::<Vec<_>>();
    let rows = |candidate| {
        let control = of(&native, 1050).into_iter().map(control);
        of(&native, 1000).into_iter().chain(control).chain(of(&aot, candidate))
    };
    let verdict = |candidate| summary(rows(candidate)).cells[1].ratio_to_native.unwrap().verdict;
    assert_eq!(verdict(1030), Verdict::Equivalent);
    assert_eq!(verdict(1200), Verdict::Slower);
    assert_eq!(verdict(700), Verdict::Faster);

    let summary = summary(rows(1030));
    let floor = summary.noise_floor.unwrap();
    assert!((floor.widest.floor.fraction() - 0.05).abs() < 1e-9);
    assert_eq!((floor.widest.ratio, floor.pairs.len()), (1.05, 1));
    assert_eq!(each(&summary.cells[0]).n, 10, "the control's samples are not the cell's");
}

#[test]
fn failures_and_wrong_starts_are_counted_apart() {
    let cell = cell("noop", "wasmedge-aot", Start::ColdProcess);
    let mut warm = row(&cell, 0, 2, 1);
    warm.sample.start_kind = Start::Warm;
    let mut late = row(&cell, 0, 3, 1);
    late.sample.outcome = Outcome::WrongStart;
    let rows = [
        failed(row(&cell, 1, 1, 9_999), Outcome::Timeout, "second"),
        failed(row(&cell, 1, 0, 9_999), Outcome::Timeout, "first"),
        row(&cell, 0, 0, 100),
        warm,
        late,
    ];
    let only = &summary(rows).cells[0];
    let numbers = each(only);
    assert_eq!((numbers.n, numbers.wrong_start, numbers.few_samples), (1, 2, true));
    assert_eq!((only.failed(), only.invocations()), (2, 5));
    let timeouts = &only.failures[&Outcome::Timeout];
    assert_eq!((timeouts.count, timeouts.example.as_deref()), (2, Some("first")));
    assert_eq!(numbers.total().unwrap().median(), ns(100));

    let none = &summary([failed(row(&cell, 0, 0, 1), Outcome::Trap, "x")]).cells[0];
    let numbers = each(none);
    assert_eq!((numbers.n, numbers.total(), numbers.estimates.phases().count()), (0, None, 0));
}

#[test]
fn a_phase_that_is_absent_in_a_sample_counts_as_zero() {
    let cell = cell("noop", "native", Start::ColdProcess);
    let mut rows = blocks(&cell, &[&[10, 20, 30]]);
    rows[1].sample.phases_ns.add(Phase::IoConnect, 900);
    rows[2].sample.phases_ns.add(Phase::Provision, 7);
    let only = &summary(rows).cells[0];
    assert_eq!(median_of(only, Metric::Phase(Phase::IoConnect)), Some(ns(0)));
    assert_eq!(median_of(only, Metric::Phase(Phase::Compute)), Some(ns(20)));
    assert_eq!(median_of(only, Metric::Phase(Phase::Queue)), None);
    assert_eq!(median_of(only, Metric::ColdStart), Some(ns(0)));
}

#[test]
fn a_summary_is_read_back_as_it_was_written() {
    let summary = summary(run(&FUNCTIONS[..2], &TARGETS, 2));
    let json = serde_json::to_string(&summary).unwrap();
    let read: Summary = serde_json::from_str(&json).unwrap();
    // A reader may round the last digit of a fraction; what it writes again shows none.
    assert_eq!(read.cells.len(), summary.cells.len());
    assert_eq!(each(&read.cells[3]), each(&summary.cells[3]));
    assert!(json.contains(r#""schema":1"#) && json.contains(r#""floor":"#), "{json}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn the_order_of_the_rows_does_not_matter(
        rows in Just(run(&FUNCTIONS[..2], &TARGETS[..3], 3)).prop_shuffle(),
    ) {
        let in_order = summary(run(&FUNCTIONS[..2], &TARGETS[..3], 3));
        prop_assert_eq!(summary(rows), in_order);
    }

    #[test]
    fn any_times_give_a_summary(
        totals in prop::collection::vec(
            prop::collection::vec(any::<u64>(), SizeRange::from(0..4)), 0..6),
    ) {
        let totals: Vec<&[u64]> = totals.iter().map(Vec::as_slice).collect();
        let native = blocks(&cell("noop", "native", Start::Warm), &totals);
        let aot = blocks(&cell("noop", "wasmtime-aot", Start::Warm), &totals);
        let count = totals.iter().map(|block| block.len()).sum::<usize>();
        let summary = summary(native.into_iter().chain(aot));
        prop_assert!(summary.cells.iter().all(|cell| each(cell).n == count));
    }
}
