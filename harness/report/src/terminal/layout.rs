//! Tables for a terminal.

use comfy_table::{CellAlignment, Table as TextTable, presets};

use crate::table::{Column, Table};

/// Blanks between two columns.
const GAP: usize = 2;

/// The table, or several where one would be wider than `width`. An empty line follows each.
pub(crate) fn layout(table: &Table, width: usize) -> String {
    let columns: Vec<Lines> = table.columns.iter().map(Lines::of).collect();
    let (repeated, rest) = columns.split_at(table.repeated.min(columns.len()));
    let room = width.saturating_sub(repeated.iter().map(|column| column.width + GAP).sum());
    let mut out = String::new();
    for part in parts(rest, room) {
        let columns: Vec<&Lines> = repeated.iter().chain(part).collect();
        out.push_str(&rendered(&columns, table.words));
        out.push('\n');
    }
    out
}

/// A column as lines of text: the header, the entries, the footer.
struct Lines {
    lines: Vec<String>,
    /// The lines before which a rule is drawn.
    rules: Vec<usize>,
    width: usize,
}

impl Lines {
    fn of(column: &Column) -> Self {
        let mut lines = column.header.to_vec();
        let mut rules = vec![lines.len()];
        lines.extend(column.entries.iter().cloned());
        if let Some(footer) = &column.footer {
            rules.push(lines.len());
            lines.push(footer.clone());
        }
        let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        Self { lines, rules, width }
    }
}

/// Splits columns into as few tables as `room` allows, of about equal length.
fn parts(columns: &[Lines], room: usize) -> Vec<&[Lines]> {
    let widest = columns.iter().map(|column| column.width + GAP).max().unwrap_or(1);
    let all: usize = columns.iter().map(|column| column.width + GAP).sum();
    if all <= room {
        return vec![columns];
    }
    let most = (room / widest).max(1);
    let tables = columns.len().div_ceil(most).max(1);
    columns.chunks(columns.len().div_ceil(tables)).collect()
}

fn rendered(columns: &[&Lines], words: usize) -> String {
    let mut table = TextTable::new();
    table.load_preset(presets::NOTHING);
    let Some(first) = columns.first() else { return String::new() };
    for index in 0..first.lines.len() {
        if first.rules.contains(&index) {
            table.add_row(columns.iter().map(|column| "─".repeat(column.width)));
        }
        // comfy-table drops rows without text, such as the first line of a header.
        if columns.iter().any(|column| !column.lines[index].is_empty()) {
            table.add_row(columns.iter().map(|column| column.lines[index].as_str()));
        }
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding(if index == 0 { (0, 0) } else { (GAP as u16, 0) });
        column.set_cell_alignment(match index < words {
            true => CellAlignment::Left,
            false => CellAlignment::Right,
        });
    }
    format!("{}\n", table.trim_fmt())
}
