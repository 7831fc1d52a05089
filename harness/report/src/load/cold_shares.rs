//! The share of cold starts by keep-alive.

use std::collections::BTreeMap;

use lumos_model::cell::{Cell, LoadPoint};
use lumos_model::units::Span;

use super::cell::LoadCell;
use super::columns::{column, keep_alives, share};
use crate::order::target_order;
use crate::table::Table;

const TITLE: &str = "Share of cold starts, by how long idle instances are kept";

/// Cells that differ only in the keep-alive.
struct Row<'a> {
    cell: &'a Cell,
    point: &'a LoadPoint,
    by_keep_alive: BTreeMap<Span, LoadCell<'a>>,
}

/// `None`: all cells have the same keep-alive.
pub(super) fn table(cells: &[LoadCell]) -> Option<(String, Table)> {
    let keep_alives = keep_alives(cells);
    if keep_alives.len() < 2 {
        return None;
    }
    let rows = rows(cells, *keep_alives.first()?);
    let mut columns = vec![
        column(["", "function"], &rows, |row| row.cell.function.clone()),
        column(["", "size"], &rows, |row| row.cell.size.to_string()),
        column(["", "target"], &rows, |row| row.cell.target.to_string()),
        column(["", "isolation"], &rows, |row| row.cell.isolation.to_string()),
        column(["", "driver"], &rows, |row| row.point.driver.to_string()),
        column(["", "arrival"], &rows, |row| row.point.traffic.to_string()),
    ];
    let words = columns.len();
    columns.extend(keep_alives.iter().map(|keep_alive| {
        column(["keep-alive", &keep_alive.to_string()], &rows, |row| {
            share(row.by_keep_alive.get(keep_alive).and_then(|of| of.numbers.cold_share()))
        })
    }));
    Some((TITLE.to_owned(), Table::of_columns(columns, words)))
}

fn rows<'a>(cells: &[LoadCell<'a>], any_keep_alive: Span) -> Vec<Row<'a>> {
    let mut rows: BTreeMap<Cell, Row> = BTreeMap::new();
    for of in cells {
        let key = of.with(|point| point.keep_alive = any_keep_alive);
        let row = rows.entry(key).or_insert_with(|| Row {
            cell: of.cell(),
            point: of.point,
            by_keep_alive: BTreeMap::new(),
        });
        row.by_keep_alive.insert(of.point.keep_alive, *of);
    }
    // A stable sort: within a target the rows stay in the order of their cells.
    let mut rows = Vec::from_iter(rows.into_values());
    rows.sort_by_key(|row| (&row.cell.function, row.cell.size, target_order(&row.cell.target)));
    rows
}
