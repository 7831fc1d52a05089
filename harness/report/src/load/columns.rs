//! Columns and entries that several tables of load have.

use std::collections::BTreeSet;

use lumos_analysis::summary::{Quantiles, Spread};
use lumos_model::quantity::Quantity;
use lumos_model::units::Span;

use super::cell::LoadCell;
use crate::numbers::{self, percent};
use crate::table::Column;

/// The entry of a value that is unknown.
pub(super) const NONE: &str = "-";

/// A column with an entry for each of `rows`.
pub(super) fn column<T>(name: [&str; 2], rows: &[T], entry: impl Fn(&T) -> String) -> Column {
    Column::new(name, rows.iter().map(entry).collect())
}

/// The columns in which any row has an entry.
pub(super) fn filled(columns: Vec<Column>) -> Vec<Column> {
    let is_filled = |column: &Column| column.entries.iter().any(|entry| entry != NONE);
    columns.into_iter().filter(is_filled).collect()
}

/// The columns that distinguish the cells of a table.
pub(super) fn names(cells: &[LoadCell]) -> Vec<Column> {
    let mut columns = vec![column(["", "target"], cells, |of| of.cell().target.to_string())];
    let isolations: BTreeSet<_> = cells.iter().map(|of| of.cell().isolation).collect();
    if isolations.len() > 1 {
        columns.push(column(["", "isolation"], cells, |of| of.cell().isolation.to_string()));
    }
    columns.push(column(["", "arrival"], cells, |of| of.point.traffic.to_string()));
    if keep_alives(cells).len() > 1 {
        columns.push(column(["", "keep-alive"], cells, |of| of.point.keep_alive.to_string()));
    }
    columns
}

pub(super) fn keep_alives(cells: &[LoadCell]) -> BTreeSet<Span> {
    cells.iter().map(|of| of.point.keep_alive).collect()
}

pub(super) fn quantity(quantity: Option<Quantity>) -> String {
    quantity.map_or(NONE.to_owned(), numbers::quantity)
}

pub(super) fn p50(quantiles: Option<Quantiles>) -> String {
    quantity(quantiles.map(|of| of.p50()))
}

pub(super) fn share(share: Option<f64>) -> String {
    share.map_or(NONE.to_owned(), percent)
}

pub(super) fn rate(spread: Option<Spread>) -> String {
    spread.map_or(NONE.to_owned(), |spread| numbers::per_second(spread.median))
}
