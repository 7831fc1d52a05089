//! How often the verdicts are right, on a simulated machine whose true times are known.

use lumos_analysis::compare::{Comparison, Options};
use lumos_analysis::metric::Metric;
use lumos_stats::{Level, Margin, Verdict};
use lumos_testkit::simulated_machine::{Machine, cells};

const COMPARISONS: u64 = 200;

fn options(margin: Margin) -> Options {
    Options { margin, level: Level::P95, metrics: vec![Metric::Total] }
}

fn default_options() -> Options {
    options(Margin::default())
}

fn different(comparison: &Comparison) -> usize {
    comparison.with(Verdict::Slower).chain(comparison.with(Verdict::Faster)).count()
}

#[test]
fn equal_runs_have_no_differences() {
    let mut found = 0;
    for seed in 0..COMPARISONS {
        let mut machine = Machine::new(seed);
        let comparison =
            Comparison::new(&machine.run(), &machine.run(), &default_options(), Vec::new());
        assert_eq!(comparison.cells.len(), cells().len());
        found += different(&comparison);
    }
    // 4,800 equal cells; 5 % of them would be 240.
    assert_eq!(found, 0, "margin and noise floor keep false alarms far below the level");
}

/// The intervals alone must keep the level, for the whole table and not only for each cell.
#[test]
fn without_margin_and_control_the_whole_table_keeps_the_level() {
    let mut alarms = 0;
    for seed in 0..COMPARISONS {
        let mut machine = Machine::new(1_000 + seed);
        machine.has_control = false;
        let comparison = Comparison::new(
            &machine.run(),
            &machine.run(),
            &options(Margin::new(0.0).unwrap()),
            Vec::new(),
        );
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
        let comparison = Comparison::new(&base, &machine.run(), &default_options(), Vec::new());
        let cells: Vec<_> = comparison.with(Verdict::Slower).map(|found| &found.cell).collect();
        found += u64::from(cells.contains(&&slower));
        wrong += different(&comparison) - usize::from(cells.contains(&&slower));
        assert_eq!(comparison.is_regression(), !cells.is_empty());
    }
    println!("found {found} of {COMPARISONS}, {wrong} false alarms");
    assert!(found * 10 >= COMPARISONS * 9, "found {found} of {COMPARISONS}");
    assert_eq!(wrong, 0);
}

/// Cells that are 5 % slower are equivalent at a margin of 20 %.
#[test]
fn a_change_within_the_margin_is_equivalent() {
    let mut machine = Machine::new(7);
    let base = machine.run();
    machine.slower.extend(cells().into_iter().map(|cell| (cell, 1.05)));
    let comparison =
        Comparison::new(&base, &machine.run(), &options(Margin::new(0.2).unwrap()), Vec::new());
    assert_eq!(comparison.with(Verdict::Equivalent).count(), cells().len());
    assert!((comparison.median_ratio.unwrap() - 1.05).abs() < 0.01);
}

/// When the machine is slower in the whole new run, its unchanged native shows that.
#[test]
fn drift_between_the_runs_is_noise() {
    let mut machine = Machine::new(8);
    let base = machine.run();
    machine.slower.extend(cells().into_iter().map(|cell| (cell, 1.05)));
    let comparison = Comparison::new(&base, &machine.run(), &default_options(), Vec::new());
    assert!(comparison.noise_floors[&Metric::Total].between.unwrap().fraction() > 0.04);
    assert_eq!(different(&comparison), 0);
}
