//! Tables and counts, for people.

use std::fmt::Display;
use std::ops::Range;

use comfy_table::{CellAlignment, ContentArrangement, presets};

use crate::terminal::width;

/// A table without lines, at most as wide as the terminal.
pub(crate) struct Table(comfy_table::Table);

impl Table {
    /// A table with only a header.
    pub(crate) fn new<'h>(header: impl IntoIterator<Item = &'h str>) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_preset(presets::NOTHING).set_header(header);
        let width = u16::try_from(width()).unwrap_or(u16::MAX);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        Self(table)
    }

    /// Aligns these columns to the right, for numbers.
    pub(crate) fn align_right(mut self, columns: Range<usize>) -> Self {
        for column in columns {
            if let Some(column) = self.0.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self
    }

    /// Adds a row.
    pub(crate) fn row<T: ToString>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.0.add_row(cells.into_iter().map(|cell| cell.to_string()));
    }

    /// The lines of the table, without blanks at their ends.
    pub(crate) fn lines(&self) -> String {
        self.0.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

/// `1 cell`, `2 cells`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Items in one line, separated by commas.
pub(crate) fn join<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
