//! The complete report: every cell with its intervals, phases, memory and failures.
//!
//! | file | what it does |
//! |---|---|
//! | `mod` | the report as a whole |
//! | `grid` | the tables of a grid of cells |
//! | `blocks` | tables and lists in Markdown |

mod blocks;
mod grid;

use std::fmt::Write;

use lumos_analysis::fairness::sizes::PUBLISHED_IMAGE;
use lumos_analysis::summary::Summary;
use lumos_model::artifact::Form;

use self::blocks::{escape, list};
use crate::fairness;
use crate::grid::{Grid, grids};
use crate::info::RunInfo;
use crate::load;
use crate::marks::Mark;
use crate::notes::{failures, missing, noise, samples};
use crate::numbers::{P95_NEEDS, P99_NEEDS, bytes, percent};
use crate::table::Table;

/// Renders `summary` as Markdown.
pub fn render(summary: &Summary, info: &RunInfo) -> String {
    let mut out = heading(summary, info);
    for grid in &grids(summary, info) {
        out.push_str(&section(grid));
    }
    for load::Titled { title, table } in load::tables(summary) {
        let _ = write!(out, "## {title}\n\n{}", blocks::table(&table));
    }
    out.push_str(&list("Under load", &load::notes(summary), ""));
    out.push_str(&list("Failures", &failures::failures(summary), no_failures(summary)));
    out.push_str(&list("Not run", &not_run(info), "Every cell of the scenario could run."));
    out.push_str(&list("Without a ratio", &missing::ratios(summary), ""));
    out.push_str(&list("Fairness", &conditions(summary, info), ""));
    out.push_str(&list("Tainted", &samples::tainted(summary), ""));
    out.push_str(&sizes(info));
    let cautions = [load::cautions(summary), info.warnings.clone()].concat();
    out.push_str(&list("Caution", &cautions, ""));
    out.push_str(&list("How to read this", &how_to_read(summary), ""));
    format!("{}\n", out.trim_end())
}

fn heading(summary: &Summary, info: &RunInfo) -> String {
    let title = if info.title.is_empty() { "Report" } else { &info.title };
    let mut out = format!("# {title}\n\n");
    let facts = [("Started", &info.started), ("Machine", &info.machine)];
    for (label, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        let _ = writeln!(out, "- {label}: {}", escape(fact));
    }
    let _ = writeln!(out, "- Rows: {} in {} cells", summary.rows, summary.cells.len());
    let _ = writeln!(out, "- Noise: {}\n", escape(&noise::noise(summary)));
    out
}

fn section(grid: &Grid) -> String {
    let mut out = format!("## {}\n\n", grid.title());
    out.push_str(&blocks::table(&grid::overview(grid)));
    out.push_str(&blocks::table(&grid::medians(grid)));
    let parts = [
        ("Where the time goes", grid::phases(grid)),
        ("Cold start", grid::cold_starts(grid)),
        ("CPU and memory", Some(grid::resources(grid))),
    ];
    for (title, table) in parts {
        if let Some(table) = table {
            let _ = write!(out, "### {title}\n\n{}", blocks::table(&table));
        }
    }
    out
}

fn no_failures(summary: &Summary) -> &'static str {
    match summary.load_cells().any(|(_, load)| load.ok < load.requests) {
        true => "None, except for rejected, timed-out and cancelled requests: see the tables.",
        false => "None: every invocation counts.",
    }
}

fn not_run(info: &RunInfo) -> Vec<String> {
    let gate = info.gate_failures.iter().map(|line| format!("stopped at the gate: {line}"));
    missing::refusals(info).into_iter().chain(gate).collect()
}

/// The checks of fairness, and the facts that a reader needs to check it for themselves.
fn conditions(summary: &Summary, info: &RunInfo) -> Vec<String> {
    let settings = info.settings.iter().map(|(target, text)| format!("{target}: {text}"));
    let redis = info.redis.iter().map(|version| format!("Redis {version}"));
    let noise = format!("noise: {}", noise::noise(summary));
    let facts = fairness::checks(&info.fairness).into_iter().chain([noise]);
    facts.chain(redis).chain(settings).chain(info.artifacts.iter().cloned()).collect()
}

/// The sizes of the artifacts, next to the published size of a container image.
fn sizes(info: &RunInfo) -> String {
    let sizes = &info.fairness.sizes;
    let forms = sizes.forms();
    if forms.is_empty() {
        return String::new();
    }
    let names = forms.iter().map(|form| form.0.as_str());
    let mut table = Table::with_header(["function"].into_iter().chain(names), 1);
    for (function, of) in sizes.functions() {
        let size = |form: &&Form| of.get(*form).map_or("-".to_owned(), |size| bytes(*size));
        table.push(std::iter::once(function.to_owned()).chain(forms.iter().map(size)));
    }
    format!(
        "## Sizes of the artifacts\n\n{}These are sizes of files, without a base image. The \
         published size of a native function in a container image is {PUBLISHED_IMAGE} (Lumos, IOT \
         2025, section 6.3).\n\n",
        blocks::table(&table)
    )
}

fn how_to_read(summary: &Summary) -> Vec<String> {
    let margin = percent(summary.margin.fraction());
    let marks = Mark::ALL.map(|mark| format!("{}: {}", mark.example(), mark.meaning()));
    let lines = [
        "Times run from the intended arrival of a request to its response. Tables show medians.",
        "Intervals are 95 % bootstrap intervals of the median. Those of ratios are drawn over \
         paired blocks: block k of a cell with block k of native.",
        &format!(
            "A ratio counts as a difference only if its whole interval lies beyond the noise floor \
             of the control pair, and beyond {margin}."
        ),
        "The share of a phase is its median over the median total, so shares need not add up to \
         100 %. A sample without a phase that others of its cell have counts as 0.",
        &format!(
            "p95 is shown for at least {P95_NEEDS} samples and p99 for at least {P99_NEEDS}. With \
             fewer, no sample lies beyond them."
        ),
        "The geometric mean is over the functions for which every target has a ratio.",
    ];
    lines.map(str::to_owned).into_iter().chain(marks).collect()
}
