//! Tables and lists in Markdown.

use std::fmt::Write;

use crate::table::{Column, Table};

/// The table, with an empty line after it.
pub(super) fn table(table: &Table) -> String {
    let name = |column: &Column| column.header.join(" ").trim().to_owned();
    let rule = (0..table.columns.len()).map(|index| match index < table.words {
        true => "---",
        false => "--:",
    });
    let mut out = row(table.columns.iter().map(name));
    let _ = writeln!(out, "|{}|", rule.collect::<Vec<_>>().join("|"));
    for index in 0..table.rows() {
        out.push_str(&row(table.columns.iter().map(|column| column.entries[index].clone())));
    }
    if table.columns.iter().any(|column| column.footer.is_some()) {
        let footer = |column: &Column| column.footer.clone().unwrap_or_default();
        out.push_str(&row(table.columns.iter().map(footer)));
    }
    out.push('\n');
    out
}

fn row(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| escape(&cell)).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// A section with a list. Without lines it holds `when_empty`, or is left out when that is
/// empty.
pub(super) fn list(title: &str, lines: &[String], when_empty: &str) -> String {
    let body = match lines {
        [] if when_empty.is_empty() => return String::new(),
        [] => format!("{when_empty}\n"),
        lines => lines.iter().map(|line| format!("- {}\n", escape(line))).collect(),
    };
    format!("## {title}\n\n{body}\n")
}

/// Keeps text from being read as Markdown where that would break a line or table.
pub(super) fn escape(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('\n', " ")
        .replace('<', "&lt;")
        .replace('*', "\\*")
        .replace('~', "\\~")
}
