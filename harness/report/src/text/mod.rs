//! The report on a terminal: tables of medians, then what to know before trusting them.
//!
//! | file | what it does |
//! |---|---|
//! | `mod` | the report as a whole |
//! | `grid` | a table of cells, functions by targets |

mod grid;

use lumos_analysis::summary::Summary;

use crate::fairness;
use crate::grid::{Grid, grids};
use crate::info::RunInfo;
use crate::load;
use crate::marks::shown_marks;
use crate::notes::{failures, missing, noise, samples};
use crate::terminal::{LabelledLists, layout, paragraph};

/// Renders `summary` for a terminal of `width` columns.
pub fn render(summary: &Summary, info: &RunInfo, width: usize) -> String {
    let grids = grids(summary, info);
    let mut out = heading(summary, info, &grids, width);
    for grid in &grids {
        out.push_str(&paragraph(&title(grid), width));
        out.push_str(&layout(&grid::table(grid), width));
    }
    for load::Titled { title, table } in load::tables(summary) {
        out.push_str(&paragraph(&title, width));
        out.push_str(&layout(&table, width));
    }
    out.push_str(&footer(summary, info, &grids, width));
    out
}

fn heading(summary: &Summary, info: &RunInfo, grids: &[Grid], width: usize) -> String {
    let mut out = String::new();
    let started = match info.started.as_str() {
        "" => String::new(),
        started => format!(", started {started}"),
    };
    if !info.title.is_empty() {
        out.push_str(&format!("{}{started}\n", info.title));
    }
    if !info.machine.is_empty() {
        out.push_str(&paragraph(&info.machine, width));
    }
    out.push_str(match grids {
        [] if summary.load_cells().next().is_some() => "Functions under load.\n\n",
        [] => "No invocation was measured.\n\n",
        grids if grids.iter().any(Grid::has_ratios) => {
            "Median time of an invocation, and its ratio to that of native.\n\n"
        }
        _ => "Median time of an invocation.\n\n",
    });
    out
}

fn title(grid: &Grid) -> String {
    let few = if grid.is_all_few() { ": a hint, not a result" } else { "" };
    format!("{} ({}{few})", grid.title(), grid.samples_text())
}

/// What to know before trusting the tables, and where to find more.
fn footer(summary: &Summary, info: &RunInfo, grids: &[Grid], width: usize) -> String {
    // Where all cells of a table have few samples, its title says so.
    let few = match grids.iter().all(Grid::is_all_few) {
        true => Vec::new(),
        false => samples::few(summary),
    };
    let mut lists = LabelledLists::new(width);
    lists.add("Marks", &marks(summary, grids));
    lists.add_all("Load", &load::notes(summary));
    lists.add("Mean", &means(grids));
    lists.add("Noise", &[noise::noise(summary)]);
    lists.add("Failed", &failures::failures(summary));
    lists.add("Gate", &info.gate_failures);
    lists.add("Not run", &missing::refusals(info));
    lists.add("Few", &few);
    lists.add("No ratio", &missing::ratios(summary));
    lists.add("Tainted", &samples::tainted(summary));
    lists.add_all("Fairness", &fairness::checks(&info.fairness));
    lists.add("Caution", &[load::cautions(summary), info.warnings.clone()].concat());
    lists.add("Files", &info.files);
    lists.finish()
}

/// Says when a geometric mean leaves functions out.
fn means(grids: &[Grid]) -> Vec<String> {
    let is_partial =
        |grid: &Grid| grid.means().is_some_and(|means| means.functions < grid.functions.len());
    match grids.iter().any(is_partial) {
        true => vec!["of the functions for which every target of the table has a ratio".into()],
        false => Vec::new(),
    }
}

/// The meanings of the marks that occur.
fn marks(summary: &Summary, grids: &[Grid]) -> Vec<String> {
    let marks = shown_marks(summary, grids).into_iter();
    marks.map(|mark| format!("{:<7}{}", mark.example(), mark.meaning())).collect()
}
