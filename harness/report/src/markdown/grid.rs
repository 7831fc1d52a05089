//! The tables of a grid of cells.

use std::collections::BTreeSet;

use lumos_analysis::metric::Metric;
use lumos_analysis::summary::Estimate;
use lumos_model::cell::Target;
use lumos_model::phase::Phase;
use lumos_model::quantity::Quantity;

use crate::grid::{EachCell, Entry, Grid};
use crate::marks::Mark;
use crate::notes::failures::why_empty;
use crate::numbers::{P95_NEEDS, P99_NEEDS, percent, quantity, ratio};
use crate::table::{Column, Table};

/// The entry of a value that is unknown.
const NONE: &str = "-";

/// Functions by targets: the median, and the ratio where there is one.
pub(super) fn overview(grid: &Grid) -> Table {
    let means = grid.means();
    let functions = grid.functions.iter().map(|function| (*function).to_owned()).collect();
    let label = means.as_ref().map(|means| format!("geometric mean of {}", means.functions));
    let mut columns = vec![Column { footer: label, ..Column::new(["", "function"], functions) }];
    for target in &grid.targets {
        let entries = grid.functions.iter().map(|function| entry(grid, function, target)).collect();
        let mean = means.as_ref().and_then(|means| means.by_target.get(target));
        let footer = mean.map(|mean| ratio(*mean));
        columns.push(Column { footer, ..Column::new(["", target.as_str()], entries) });
    }
    Table::of_columns(columns, 1)
}

fn entry(grid: &Grid, function: &str, target: &Target) -> String {
    match grid.entry(function, target) {
        Entry::Measured(cell) => median_and_ratio(cell, grid),
        Entry::Failed(cell) => why_empty(cell.summary).to_owned(),
        Entry::Refused => "not run".to_owned(),
        Entry::Absent => NONE.to_owned(),
    }
}

fn median_and_ratio(cell: EachCell, grid: &Grid) -> String {
    let median = cell.numbers.total().map(|total| quantity(total.median())).unwrap_or_default();
    let sign = Mark::of(cell, grid).map(|mark| mark.sign().to_string()).unwrap_or_default();
    match cell.summary.ratio_to_native {
        Some(found) => format!("{median}, {sign}{}", ratio(found.ratio)),
        None => format!("{median} {sign}").trim_end().to_owned(),
    }
}

/// Every cell with its interval, tail and ratio.
pub(super) fn medians(grid: &Grid) -> Table {
    let header = [
        "function",
        "target",
        "n",
        "outliers",
        "median",
        "95 % interval",
        "p95",
        "p99",
        "ratio to native",
        "95 % interval",
        "verdict",
    ];
    let mut table = Table::with_header(header, 2);
    for cell in grid.cells() {
        let few = if cell.numbers.few_samples { " (few)" } else { "" };
        let samples = [format!("{}{few}", cell.numbers.n), cell.numbers.outliers.to_string()];
        table.push(names(cell).into_iter().chain(samples).chain(times(cell)).chain(ratios(cell)));
    }
    table
}

fn names(cell: EachCell) -> [String; 2] {
    [cell.function().to_owned(), cell.target().to_string()]
}

fn times(cell: EachCell) -> [String; 4] {
    let total = cell.numbers.total();
    let tail = |needs, of: fn(&Estimate) -> Quantity| match total {
        Some(total) if cell.numbers.n >= needs => quantity(of(&total)),
        _ => NONE.to_owned(),
    };
    let [median, interval] = median_and_interval(total);
    [median, interval, tail(P95_NEEDS, Estimate::p95), tail(P99_NEEDS, Estimate::p99)]
}

fn ratios(cell: EachCell) -> [String; 3] {
    let Some(found) = cell.summary.ratio_to_native else { return [NONE; 3].map(str::to_owned) };
    let [lo, hi] = found.ci95;
    [ratio(found.ratio), format!("{} .. {}", ratio(lo), ratio(hi)), found.verdict.to_string()]
}

fn median_and_interval(estimate: Option<Estimate>) -> [String; 2] {
    let Some(estimate) = estimate else { return [NONE; 2].map(str::to_owned) };
    let [lo, hi] = estimate.ci95();
    [quantity(estimate.median()), format!("{} .. {}", quantity(lo), quantity(hi))]
}

/// Where the time goes: each phase's median as a share of the median total. `None`: no phase
/// occurred.
pub(super) fn phases(grid: &Grid) -> Option<Table> {
    let occurring: BTreeSet<Phase> = grid
        .cells()
        .flat_map(|cell| cell.numbers.estimates.phases().map(|(phase, _)| phase))
        .collect();
    if occurring.is_empty() {
        return None;
    }
    let phases = occurring.iter().map(|phase| phase.as_str());
    let mut table =
        Table::with_header(["function", "target", "total"].into_iter().chain(phases), 2);
    for cell in grid.measured() {
        let Some(total) = cell.numbers.total().map(|total| total.median()) else { continue };
        let share = |phase: &Phase| match median(cell, Metric::Phase(*phase)) {
            Some(median) => percent(median.value as f64 / total.value.max(1) as f64),
            None => String::new(),
        };
        let total = quantity(total);
        table.push(names(cell).into_iter().chain([total]).chain(occurring.iter().map(share)));
    }
    Some(table)
}

fn median(cell: EachCell, metric: Metric) -> Option<Quantity> {
    cell.numbers.estimates.get(metric).map(|estimate| estimate.median())
}

/// What a cold start consists of. `None`: these are warm starts.
pub(super) fn cold_starts(grid: &Grid) -> Option<Table> {
    if !grid.is_cold() {
        return None;
    }
    let phases = Phase::COLD_START.iter().map(|phase| phase.as_str());
    let header = ["function", "target", "cold start", "95 % interval"].into_iter().chain(phases);
    let mut table = Table::with_header(header, 2);
    for cell in grid.cells() {
        let Some(cold) = cell.numbers.estimates.get(Metric::ColdStart) else { continue };
        let part =
            |phase: &Phase| median(cell, Metric::Phase(*phase)).map_or(NONE.to_owned(), quantity);
        let whole = median_and_interval(Some(cold));
        let parts = Phase::COLD_START.iter().map(part);
        table.push(names(cell).into_iter().chain(whole).chain(parts));
    }
    Some(table)
}

/// CPU time and memory.
pub(super) fn resources(grid: &Grid) -> Table {
    let interval = "95 % interval";
    let header = [
        "function",
        "target",
        "CPU time",
        interval,
        "peak memory",
        interval,
        "linear memory",
        interval,
    ];
    let mut table = Table::with_header(header, 2);
    for cell in grid.measured() {
        let metrics = [Metric::Cpu, Metric::MemoryPeak, Metric::LinearMemory];
        let numbers = metrics.map(|metric| median_and_interval(cell.numbers.estimates.get(metric)));
        table.push(names(cell).into_iter().chain(numbers.into_iter().flatten()));
    }
    table
}
