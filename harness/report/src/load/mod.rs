//! Cells under load as tables: what a renderer puts on a terminal or into Markdown.

mod notes;

use std::collections::{BTreeMap, BTreeSet};

use lumos_model::cell::{Cell, Demand, Driver, LoadPoint, Size, Storage};
use lumos_model::row::Outcome;
use lumos_model::units::Span;

pub use self::notes::{cautions, notes};
use lumos_analysis::summary::load::{Difference, LoadSummary, Quantiles, Spread};
use lumos_analysis::summary::{Summary, Verdict};

use super::group::target_order;
use super::numbers::{bytes, duration, percent, ratio, rough_ratio};

/// Below this many requests nothing lies beyond the 99th percentile.
const P99_NEEDS: usize = 100;

/// A table with a title; the first columns are words.
pub struct LoadTable {
    /// What it shows.
    pub title: String,
    /// Columns of words, before those of numbers.
    pub words: usize,
    /// The columns, each with a header of two lines and an entry for each row.
    pub columns: Vec<LoadColumn>,
}

/// A column.
pub struct LoadColumn {
    /// Its name, on two lines.
    pub header: [String; 2],
    /// An entry for each row.
    pub entries: Vec<String>,
}

impl LoadTable {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.entries.len())
    }
}

/// All tables of a summary.
pub fn tables(summary: &Summary) -> Vec<LoadTable> {
    let mut sections: BTreeMap<(&str, Size, Storage, Driver), Vec<&LoadSummary>> = BTreeMap::new();
    for load in &summary.load {
        let Cell { function, size, storage, .. } = &load.cell;
        let key = (function.as_str(), *size, *storage, load.point().driver);
        sections.entry(key).or_default().push(load);
    }
    let mut tables: Vec<LoadTable> = sections
        .into_iter()
        .map(|((function, size, storage, driver), mut cells)| {
            cells.sort_by(|a, b| order(a).cmp(&order(b)));
            let title = format!(
                "{function}, {size} input, {storage} storage, {driver} driver: throughput and latency"
            );
            main_table(title, &cells)
        })
        .collect();
    tables.extend(platform(summary));
    tables.extend(cold_shares(summary));
    tables
}

/// Targets in their usual order; of each the loads from the lightest to the heaviest.
fn order(load: &LoadSummary) -> impl Ord + '_ {
    let point = load.point();
    (target_order(&load.cell.target), load.cell.isolation, &point.traffic, point.keep_alive)
}

/// Makes a column from a name and what it says of each cell.
fn column<T>(name: [&str; 2], of: &[T], entry: impl Fn(&T) -> String) -> LoadColumn {
    LoadColumn { header: name.map(str::to_owned), entries: of.iter().map(entry).collect() }
}

fn main_table(title: String, cells: &[&LoadSummary]) -> LoadTable {
    let p50 = |q: Option<Quantiles>| time(q.map(|q| q.p50_ns));
    let p99 = |load: &LoadSummary, q: Option<Quantiles>| match load.ok >= P99_NEEDS {
        true => time(q.map(|q| q.p99_ns)),
        false => "-".to_owned(),
    };
    let mut columns = names(cells);
    let words = columns.len();
    columns.extend([
        column(["responses", "a second"], cells, |load| rate(load.throughput)),
        column(["latency", "p50"], cells, |load| p50(load.latency)),
        column(["latency", "p95"], cells, |load| time(load.latency.map(|q| q.p95_ns))),
        column(["latency", "p99"], cells, |load| p99(load, load.latency)),
        column(["p50 of", "native"], cells, |load| ratio_text(load)),
        column(["cold", "starts"], cells, |load| share(load.cold_share())),
        column(["in queue", "p50"], cells, |load| p50(load.queue)),
        column(["in queue", "p99"], cells, |load| p99(load, load.queue)),
        column(["service", "p50"], cells, |load| p50(load.service)),
        column(["service", "p99"], cells, |load| p99(load, load.service)),
        column(["", "requests"], cells, |load| load.requests.to_string()),
    ]);
    // A column of nothing but zeros says nothing.
    type Count = fn(&LoadSummary) -> usize;
    let counts: [(&str, Count); 4] = [
        ("rejected", |load| load.count(Outcome::Rejected)),
        ("timed out", |load| load.count(Outcome::Timeout)),
        ("cancelled", |load| load.count(Outcome::Cancelled)),
        ("failed", LoadSummary::failed),
    ];
    for (name, count) in counts {
        if cells.iter().any(|load| count(load) > 0) {
            columns.push(column(["", name], cells, |load| count(load).to_string()));
        }
    }
    columns.extend([
        column(["most", "instances"], cells, |load| number(load.peak_instances)),
        column(["CPU a", "request"], cells, |load| time(load.cpu_median_ns)),
        column(["memory", "peak"], cells, |load| {
            load.memory_peak_bytes.map_or("-".to_owned(), bytes)
        }),
        column(["sent late", "p50"], cells, |load| p50(load.late)),
        column(["sent late", "p99"], cells, |load| time(load.late.map(|q| q.p99_ns))),
    ]);
    LoadTable { title, words, columns: told(columns) }
}

/// The columns that tell anything of any row.
fn told(columns: Vec<LoadColumn>) -> Vec<LoadColumn> {
    let tells = |column: &LoadColumn| column.entries.iter().any(|entry| entry != "-");
    columns.into_iter().filter(tells).collect()
}

/// The columns that tell cells of a section apart.
fn names(cells: &[&LoadSummary]) -> Vec<LoadColumn> {
    let mut columns = vec![column(["", "target"], cells, |load| load.cell.target.to_string())];
    let isolations: BTreeSet<_> = cells.iter().map(|load| load.cell.isolation).collect();
    if isolations.len() > 1 {
        columns.push(column(["", "isolation"], cells, |load| load.cell.isolation.to_string()));
    }
    columns.push(column(["", "arrival"], cells, |load| load.point().traffic.to_string()));
    if keep_alives(cells).len() > 1 {
        columns.push(column(["", "keep-alive"], cells, |load| load.point().keep_alive.to_string()));
    }
    columns
}

fn keep_alives(cells: &[&LoadSummary]) -> BTreeSet<Span> {
    cells.iter().map(|load| load.point().keep_alive).collect()
}

fn time(ns: Option<u64>) -> String {
    ns.map_or("-".to_owned(), duration)
}

fn number(number: Option<u32>) -> String {
    number.map_or("-".to_owned(), |number| number.to_string())
}

fn share(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), percent)
}

/// Responses a second: `512`, `51.2`, `0.51`.
fn rate(spread: Option<Spread>) -> String {
    spread.map_or("-".to_owned(), |spread| per_second(spread.median))
}

fn per_second(rate: f64) -> String {
    match rate {
        r if r < 9.995 => format!("{r:.2}"),
        r if r < 99.95 => format!("{r:.1}"),
        r => format!("{r:.0}"),
    }
}

/// The ratio to native with its mark, as in the tables of cells that are not under load.
fn ratio_text(load: &LoadSummary) -> String {
    match load.ratio_to_native {
        None => "-".to_owned(),
        Some(found) => match found.verdict {
            Verdict::Equivalent => "~1x".to_owned(),
            Verdict::Unsure => format!("?{}", rough_ratio(found.ratio)),
            Verdict::Faster | Verdict::Slower => ratio(found.ratio),
        },
    }
}

/// What HTTP and the gateway add: the same points with both drivers.
fn platform(summary: &Summary) -> Option<LoadTable> {
    let direct_of = |http: &LoadSummary| {
        let mut point = http.point().clone();
        point.driver = Driver::Direct;
        let cell = Cell { demand: Demand::Load(point), ..http.cell.clone() };
        summary.load.iter().find(|load| load.cell == cell)
    };
    let mut pairs: Vec<(&LoadSummary, &LoadSummary)> = summary
        .load
        .iter()
        .filter(|load| load.point().driver == Driver::Http)
        .filter_map(|http| Some((http, direct_of(http)?)))
        .collect();
    if pairs.is_empty() {
        return None;
    }
    pairs.sort_by(|(a, _), (b, _)| {
        let place = |load: &LoadSummary| (load.cell.function.clone(), load.cell.size);
        place(a).cmp(&place(b)).then_with(|| order(a).cmp(&order(b)))
    });
    let https: Vec<&LoadSummary> = pairs.iter().map(|(http, _)| *http).collect();
    let mut columns = vec![
        column(["", "function"], &https, |load| load.cell.function.clone()),
        column(["", "size"], &https, |load| load.cell.size.to_string()),
    ];
    columns.extend(names(&https));
    let words = columns.len();
    let p50 = |q: Option<Quantiles>| time(q.map(|q| q.p50_ns));
    columns.extend([
        column(["direct", "a second"], &pairs, |(_, direct)| rate(direct.throughput)),
        column(["http", "a second"], &pairs, |(http, _)| rate(http.throughput)),
        column(["direct", "p50"], &pairs, |(_, direct)| p50(direct.latency)),
        column(["http", "p50"], &pairs, |(http, _)| p50(http.latency)),
        column(["http -", "direct"], &https, |load| difference(load.http_minus_direct)),
        column(["http - direct", "95 % interval"], &https, |load| interval(load.http_minus_direct)),
        column(["platform", "p50"], &https, |load| p50(load.platform)),
    ]);
    let title = "The platform's part: the same load by HTTP and from inside of the host".to_owned();
    Some(LoadTable { title, words, columns: told(columns) })
}

fn signed(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    format!("{sign}{}", duration(ns.unsigned_abs()))
}

fn difference(difference: Option<Difference>) -> String {
    difference.map_or("-".to_owned(), |difference| signed(difference.ns))
}

fn interval(difference: Option<Difference>) -> String {
    let ends = difference.and_then(|difference| difference.ci95_ns);
    ends.map_or("-".to_owned(), |[lo, hi]| format!("{} .. {}", signed(lo), signed(hi)))
}

/// The share of cold starts against the keep-alive, if there are several.
fn cold_shares(summary: &Summary) -> Option<LoadTable> {
    let all: Vec<&LoadSummary> = summary.load.iter().collect();
    let keep_alives = keep_alives(&all);
    if keep_alives.len() < 2 {
        return None;
    }
    // One row for each point that differs in nothing but the keep-alive.
    let mut rows: BTreeMap<Cell, BTreeMap<Span, &LoadSummary>> = BTreeMap::new();
    for load in &all {
        let mut point = load.point().clone();
        point.keep_alive = *keep_alives.first()?;
        let cell = Cell { demand: Demand::Load(point), ..load.cell.clone() };
        rows.entry(cell).or_default().insert(load.point().keep_alive, load);
    }
    let mut rows: Vec<(Cell, BTreeMap<Span, &LoadSummary>)> = rows.into_iter().collect();
    rows.sort_by(|(a, _), (b, _)| {
        let place = |cell: &Cell| (cell.function.clone(), cell.size);
        place(a)
            .cmp(&place(b))
            .then_with(|| target_order(&a.target).cmp(&target_order(&b.target)))
            .then_with(|| a.cmp(b))
    });
    fn point(cell: &Cell) -> &LoadPoint {
        cell.load().expect("a cell under load")
    }
    let mut columns = vec![
        column(["", "function"], &rows, |(cell, _)| cell.function.clone()),
        column(["", "size"], &rows, |(cell, _)| cell.size.to_string()),
        column(["", "target"], &rows, |(cell, _)| cell.target.to_string()),
        column(["", "isolation"], &rows, |(cell, _)| cell.isolation.to_string()),
        column(["", "driver"], &rows, |(cell, _)| point(cell).driver.to_string()),
        column(["", "arrival"], &rows, |(cell, _)| point(cell).traffic.to_string()),
    ];
    let words = columns.len();
    for keep_alive in &keep_alives {
        let of = |entry: &(Cell, BTreeMap<Span, &LoadSummary>)| {
            share(entry.1.get(keep_alive).and_then(|load| load.cold_share()))
        };
        columns.push(column(["kept for", &keep_alive.to_string()], &rows, of));
    }
    let title = "Share of cold starts against the time that idle instances are kept".to_owned();
    Some(LoadTable { title, words, columns })
}
