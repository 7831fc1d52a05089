//! How often the verdicts are right, on a simulated machine whose truth is known.

use lumos_analysis::compare::{Comparison, MARGIN, Metric, Options};
use lumos_analysis::summary::Verdict;
use lumos_stats::{Level, Margin};
use lumos_testkit::simulated_runs::{Machine, cells};

const COMPARISONS: u64 = 200;

fn options(margin: f64) -> Options {
    Options {
        margin: Margin::new(margin).unwrap(),
        level: Level::P95,
        metrics: vec![Metric::Total],
    }
}

fn different(comparison: &Comparison) -> usize {
    comparison.with(Verdict::Slower).chain(comparison.with(Verdict::Faster)).count()
}

#[test]
fn the_same_thing_twice_is_not_called_different() {
    let mut called = 0;
    for seed in 0..COMPARISONS {
        let mut machine = Machine::new(seed);
        let comparison =
            Comparison::new(&machine.run(), &machine.run(), &options(MARGIN), Vec::new());
        assert_eq!(comparison.cells.len(), cells().len());
        called += different(&comparison);
    }
    // 4,800 equal cells; 5 % of them would be 240.
    assert_eq!(called, 0, "margin and noise floor keep far below the level");
}

/// The interval alone must keep its promise, for the whole table and not for each cell.
#[test]
fn without_margin_and_control_the_whole_table_keeps_the_level() {
    let mut alarms = 0;
    for seed in 0..COMPARISONS {
        let mut machine = Machine::new(1_000 + seed);
        machine.has_control = false;
        let comparison = Comparison::new(&machine.run(), &machine.run(), &options(0.0), Vec::new());
        alarms += u32::from(different(&comparison) > 0);
    }
    // 10 are expected; 20 or more have a chance of 0.3 %.
    assert!(alarms < 20, "{alarms} of {COMPARISONS} tables with a false alarm");
}

#[test]
fn five_percent_slower_is_found() {
    let slower = cells()[5].clone();
    let (mut found, mut wrong) = (0, 0);
    for seed in 0..COMPARISONS {
        let mut machine = Machine::new(2_000 + seed);
        let base = machine.run();
        machine.slower.insert(slower.clone(), 1.05);
        let comparison = Comparison::new(&base, &machine.run(), &options(MARGIN), Vec::new());
        let cells: Vec<_> = comparison.with(Verdict::Slower).map(|found| &found.cell).collect();
        found += u64::from(cells.contains(&&slower));
        wrong += different(&comparison) - usize::from(cells.contains(&&slower));
        assert_eq!(comparison.is_regression(), !cells.is_empty());
    }
    println!("found {found} of {COMPARISONS}, {wrong} others called different");
    assert!(found * 10 >= COMPARISONS * 9, "found {found} of {COMPARISONS}");
    assert_eq!(wrong, 0);
}

/// What is 5 % slower is not slower than 20 %.
#[test]
fn a_change_within_the_margin_is_none() {
    let mut machine = Machine::new(7);
    let base = machine.run();
    machine.slower.extend(cells().into_iter().map(|cell| (cell, 1.05)));
    let comparison = Comparison::new(&base, &machine.run(), &options(0.2), Vec::new());
    assert_eq!(comparison.with(Verdict::Equivalent).count(), cells().len());
    assert!((comparison.median_ratio.unwrap() - 1.05).abs() < 0.01);
}

/// A machine that is slower in the whole new run is noise, as its unchanged native shows.
#[test]
fn drift_between_the_runs_is_noise() {
    let mut machine = Machine::new(8);
    let base = machine.run();
    machine.slower.extend(cells().into_iter().map(|cell| (cell, 1.05)));
    let comparison = Comparison::new(&base, &machine.run(), &options(MARGIN), Vec::new());
    assert!(comparison.noise_floors[&Metric::Total].between.unwrap() > 0.04);
    assert_eq!(different(&comparison), 0);
}
