//! Throughput and latency: a table for each function, size, storage and driver.

use std::collections::BTreeMap;

use lumos_analysis::summary::Quantiles;
use lumos_model::cell::{Cell, Driver, Size, Storage};
use lumos_model::row::Outcome;

use super::cell::LoadCell;
use super::columns::{NONE, column, filled, names, p50, quantity, rate, share};
use crate::marks::Mark;
use crate::numbers::{P99_NEEDS, ratio, rough_ratio};
use crate::table::{Column, Table};

/// What the cells of one table share.
type Key<'a> = (&'a str, Size, Storage, Driver);

pub(super) fn tables(cells: &[LoadCell]) -> Vec<(String, Table)> {
    let mut sections: BTreeMap<Key, Vec<LoadCell>> = BTreeMap::new();
    for of in cells {
        let Cell { function, size, storage, .. } = of.cell();
        sections.entry((function, *size, *storage, of.point.driver)).or_default().push(*of);
    }
    let table = |((function, size, storage, driver), mut cells): (Key, Vec<LoadCell>)| {
        cells.sort_by(|a, b| a.order().cmp(&b.order()));
        let title = format!(
            "{function}, {size} input, {storage} storage, {driver} driver: throughput and latency"
        );
        (title, table(&cells))
    };
    sections.into_iter().map(table).collect()
}

fn table(cells: &[LoadCell]) -> Table {
    let mut columns = names(cells);
    let words = columns.len();
    columns.extend(times(cells));
    columns.push(column(["", "requests"], cells, |of| of.numbers.requests.to_string()));
    columns.extend(lost_requests(cells));
    columns.extend(resources(cells));
    Table::of_columns(filled(columns), words)
}

fn times(cells: &[LoadCell]) -> [Column; 10] {
    let times = |of: &LoadCell| [of.numbers.latency, of.numbers.queue, of.numbers.service];
    let median = |of: &LoadCell, time: usize| p50(times(of)[time]);
    let tail = |of: &LoadCell, time: usize| match of.numbers.ok >= P99_NEEDS {
        true => p99(times(of)[time]),
        false => NONE.to_owned(),
    };
    [
        column(["responses", "per second"], cells, |of| rate(of.numbers.throughput)),
        column(["latency", "p50"], cells, |of| median(of, 0)),
        column(["latency", "p95"], cells, |of| quantity(of.numbers.latency.map(|q| q.p95()))),
        column(["latency", "p99"], cells, |of| tail(of, 0)),
        column(["p50 of", "native"], cells, ratio_text),
        column(["cold", "starts"], cells, |of| share(of.numbers.cold_share())),
        column(["in queue", "p50"], cells, |of| median(of, 1)),
        column(["in queue", "p99"], cells, |of| tail(of, 1)),
        column(["service", "p50"], cells, |of| median(of, 2)),
        column(["service", "p99"], cells, |of| tail(of, 2)),
    ]
}

fn p99(quantiles: Option<Quantiles>) -> String {
    quantity(quantiles.map(|of| of.p99()))
}

/// Requests without a good response. Columns of zeros are left out.
fn lost_requests(cells: &[LoadCell]) -> Vec<Column> {
    type Count = fn(&LoadCell) -> usize;
    let counts: [(&str, Count); 4] = [
        ("rejected", |of| of.summary.count(Outcome::Rejected)),
        ("timed out", |of| of.summary.count(Outcome::Timeout)),
        ("cancelled", |of| of.summary.count(Outcome::Cancelled)),
        ("failed", |of| of.summary.failed()),
    ];
    let occurs = |(_, count): &(&str, Count)| cells.iter().any(|of| count(of) > 0);
    let counts = counts.into_iter().filter(occurs);
    counts.map(|(name, count)| column(["", name], cells, |of| count(of).to_string())).collect()
}

fn resources(cells: &[LoadCell]) -> [Column; 5] {
    let number = |number: Option<u32>| number.map_or(NONE.to_owned(), |number| number.to_string());
    [
        column(["peak", "instances"], cells, |of| number(of.numbers.peak_instances)),
        column(["CPU per", "request"], cells, |of| p50(of.numbers.resources.cpu)),
        column(["memory", "peak"], cells, |of| p50(of.numbers.resources.memory_peak)),
        column(["sent late", "p50"], cells, |of| p50(of.numbers.late)),
        column(["sent late", "p99"], cells, |of| p99(of.numbers.late)),
    ]
}

/// The ratio to native with its mark, as in the tables of other cells.
fn ratio_text(of: &LoadCell) -> String {
    let Some(found) = of.summary.ratio_to_native else { return NONE.to_owned() };
    match Mark::of_ratio(Some(found)) {
        None => ratio(found.ratio),
        Some(Mark::Same) => Mark::Same.example().to_owned(),
        Some(mark) => format!("{}{}", mark.sign(), rough_ratio(found.ratio)),
    }
}
