//! A grid of cells for a terminal: each entry is a time with its ratio to `native`.

use lumos_model::cell::Target;

use crate::grid::{EachCell, Entry, Grid, Means};
use crate::marks::Mark;
use crate::notes::failures::why_empty;
use crate::numbers::{quantity, ratio, rough_ratio};
use crate::table::{Column, Table};

/// The functions and `native` are repeated in each part of a wide table.
pub(super) fn table(grid: &Grid) -> Table {
    let means = grid.means();
    let mut columns = vec![functions(grid, means.as_ref())];
    columns.extend(grid.targets.iter().map(|target| times(grid, target, means.as_ref())));
    let has_native = grid.targets.first().is_some_and(|target| target.is_native());
    let repeated = 1 + usize::from(has_native && grid.targets.len() > 1);
    Table { columns, words: 1, repeated }
}

fn functions(grid: &Grid, means: Option<&Means>) -> Column {
    let entries = grid.functions.iter().map(|function| (*function).to_owned()).collect();
    let footer = means.map(|means| match means.functions {
        all if all == grid.functions.len() => "geometric mean".to_owned(),
        some => format!("geometric mean ({some})"),
    });
    Column { footer, ..Column::new(["", ""], entries) }
}

fn times(grid: &Grid, target: &Target, means: Option<&Means>) -> Column {
    let entries = grid.functions.iter().map(|function| entry(grid, function, target));
    let (times, ratios): (Vec<String>, Vec<String>) = entries.unzip();
    let footer = means.map(|means| match means.by_target.get(target) {
        Some(mean) if grid.is_all_few() => {
            format!("{}{}", Mark::Unsure.sign(), rough_ratio(*mean))
        }
        Some(mean) => ratio(*mean),
        None => String::new(),
    });
    let width = ratios.iter().chain(&footer).map(String::len).max().unwrap_or(0);
    let entries = times.into_iter().zip(ratios).map(|(time, ratio)| joined(time, &ratio, width));
    let header = match target.mode() {
        Some(mode) => [target.runtime(), mode],
        None => ["", target.as_str()],
    };
    Column { footer, ..Column::new(header, entries.collect()) }
}

/// A time with its ratio, which is aligned below the others of its column.
fn joined(time: String, ratio: &str, width: usize) -> String {
    let is_time = time.starts_with(|c: char| c.is_ascii_digit());
    match width {
        0 => time,
        _ if ratio.is_empty() && !is_time => time,
        _ => format!("{time} {ratio:>width$}"),
    }
}

/// Time and ratio of a cell, or why it has none.
fn entry(grid: &Grid, function: &str, target: &Target) -> (String, String) {
    match grid.entry(function, target) {
        Entry::Measured(cell) => {
            let time = cell.numbers.total().map(|total| quantity(total.median()));
            (time.unwrap_or_default(), ratio_text(cell, grid))
        }
        Entry::Failed(cell) => (why_empty(cell.summary).to_owned(), String::new()),
        Entry::Refused => ("not run".to_owned(), String::new()),
        Entry::Absent => ("-".to_owned(), String::new()),
    }
}

/// The ratio with its mark; only the mark when there is no ratio.
fn ratio_text(cell: EachCell, grid: &Grid) -> String {
    let mark = Mark::of(cell, grid);
    let sign = mark.map(|mark| mark.sign().to_string()).unwrap_or_default();
    match (cell.summary.ratio_to_native, mark) {
        (None, _) => sign,
        (Some(_), Some(Mark::Same)) => Mark::Same.example().to_owned(),
        (Some(found), Some(_)) => format!("{sign}{}", rough_ratio(found.ratio)),
        (Some(found), None) => ratio(found.ratio),
    }
}
