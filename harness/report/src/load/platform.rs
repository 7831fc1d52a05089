//! What HTTP and the gateway add: the same loads with both drivers.

use std::collections::BTreeMap;

use lumos_analysis::summary::Difference;
use lumos_model::cell::{Cell, Driver};

use super::cell::LoadCell;
use super::columns::{NONE, column, filled, names, p50, rate};
use crate::numbers::duration;
use crate::table::Table;

const TITLE: &str = "The platform's part: the same load over HTTP and from inside the host";

pub(super) fn table(cells: &[LoadCell]) -> Option<(String, Table)> {
    let pairs = pairs(cells);
    if pairs.is_empty() {
        return None;
    }
    let https: Vec<LoadCell> = pairs.iter().map(|(http, _)| *http).collect();
    let mut columns = vec![
        column(["", "function"], &https, |of| of.cell().function.clone()),
        column(["", "size"], &https, |of| of.cell().size.to_string()),
    ];
    columns.extend(names(&https));
    let words = columns.len();
    columns.extend([
        column(["direct", "per second"], &pairs, |(_, direct)| rate(direct.numbers.throughput)),
        column(["http", "per second"], &pairs, |(http, _)| rate(http.numbers.throughput)),
        column(["direct", "p50"], &pairs, |(_, direct)| p50(direct.numbers.latency)),
        column(["http", "p50"], &pairs, |(http, _)| p50(http.numbers.latency)),
        column(["http -", "direct"], &https, |of| difference(of.numbers.http_minus_direct)),
        column(["http - direct", "95 % interval"], &https, |of| {
            interval(of.numbers.http_minus_direct)
        }),
        column(["platform", "p50"], &https, |of| p50(of.numbers.platform)),
    ]);
    Some((TITLE.to_owned(), Table::of_columns(filled(columns), words)))
}

/// The loads that were measured with both drivers: `http` and `direct`.
fn pairs<'a>(cells: &[LoadCell<'a>]) -> Vec<(LoadCell<'a>, LoadCell<'a>)> {
    let by_cell: BTreeMap<&Cell, LoadCell> = cells.iter().map(|of| (of.cell(), *of)).collect();
    let direct = |http: &LoadCell| by_cell.get(&http.with(|point| point.driver = Driver::Direct));
    let https = cells.iter().filter(|of| of.point.driver == Driver::Http);
    let mut pairs: Vec<_> = https.filter_map(|http| Some((*http, *direct(http)?))).collect();
    pairs.sort_by(|(a, _), (b, _)| order(a).cmp(&order(b)));
    pairs
}

fn order<'a>(of: &LoadCell<'a>) -> impl Ord + use<'a> {
    let Cell { function, size, .. } = of.cell();
    (function, *size, of.order())
}

fn difference(difference: Option<Difference>) -> String {
    difference.map_or(NONE.to_owned(), |difference| signed(difference.ns))
}

fn interval(difference: Option<Difference>) -> String {
    let ends = difference.and_then(|difference| difference.ci95_ns);
    ends.map_or(NONE.to_owned(), |[lo, hi]| format!("{} .. {}", signed(lo), signed(hi)))
}

fn signed(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    format!("{sign}{}", duration(ns.unsigned_abs()))
}
