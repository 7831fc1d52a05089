//! The complete report: every cell with its intervals, phases, memory and failures.

use std::collections::BTreeSet;
use std::fmt::Write;

use lumos_analysis::fairness::sizes::PUBLISHED_IMAGE;
use lumos_analysis::summary::{CellSummary, Metric, Summary, Verdict};
use lumos_model::artifact::Form;
use lumos_model::cell::Target;
use lumos_model::phase::Phase;

use super::group::{Entry, Group, groups};
use super::info::RunInfo;
use super::load::{self, LoadColumn, LoadTable};
use super::notes::{self, Mark};
use super::numbers::{bytes, duration, percent, ratio};

/// Below this many samples nothing lies beyond the 95th percentile.
const P95_NEEDS: usize = 20;
/// Below this many samples nothing lies beyond the 99th percentile.
const P99_NEEDS: usize = 100;

/// Renders `summary` as Markdown.
pub fn render(summary: &Summary, info: &RunInfo) -> String {
    let groups = groups(summary, info);
    let mut out = heading(summary, info);
    for group in &groups {
        let _ = write!(out, "## {}\n\n", group.title());
        out.push_str(&ratios(group));
        out.push_str(&medians(group));
        out.push_str(&phases(group));
        out.push_str(&cold_starts(group));
        out.push_str(&resources(group));
    }
    for table in load::tables(summary) {
        out.push_str(&load_table(&table));
    }
    out.push_str(&list("Under load", &load::notes(summary), ""));
    let none = match summary.load.iter().any(|load| load.ok < load.requests) {
        true => "None but rejections, passed deadlines and clients that left: see the tables.",
        false => "None: every invocation counts.",
    };
    out.push_str(&list("Failures", &notes::failures(summary), none));
    out.push_str(&list("Not run", &refused(info), "Every cell of the scenario could run."));
    out.push_str(&list("Without a ratio", &notes::missing_ratios(summary), ""));
    out.push_str(&list("Fairness", &fairness(summary, info), ""));
    out.push_str(&list("Tainted", &notes::tainted(summary), ""));
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
    let _ = writeln!(out, "- Rows: {} in {} cells", summary.rows, summary.cell_count());
    let _ = writeln!(out, "- Noise: {}\n", escape(&notes::noise(summary)));
    out
}

/// A table of cells under load.
fn load_table(of: &LoadTable) -> String {
    let name = |LoadColumn { header: [above, below], .. }: &LoadColumn| {
        format!("{above} {below}").trim().to_owned()
    };
    let header: Vec<String> = of.columns.iter().map(name).collect();
    let mut table = Table::new(header.iter().map(String::as_str), of.words);
    for row in 0..of.rows() {
        table.row(of.columns.iter().map(|column| column.entries[row].clone()));
    }
    format!("## {}\n\n{}", of.title, table.finish())
}

/// Functions by targets: the median, and the ratio where there is one.
fn ratios(group: &Group) -> String {
    let mut table = Table::new(["function"].into_iter().chain(words(&group.targets)), 1);
    for function in &group.functions {
        let cells = group.targets.iter().map(|target| match group.entry(function, target) {
            Entry::Measured(cell) => median_and_ratio(cell, group.is_all_few()),
            Entry::Failed(cell) => notes::why_empty(cell).to_owned(),
            Entry::Refused => "not run".to_owned(),
            Entry::Absent => "-".to_owned(),
        });
        table.row(std::iter::once((*function).to_owned()).chain(cells));
    }
    if let Some((means, functions)) = group.geometric_means() {
        let label = format!("geometric mean of {functions}");
        let mean = |target| means.get(target).map_or(String::new(), |m| ratio(*m));
        table.row(std::iter::once(label).chain(group.targets.iter().copied().map(mean)));
    }
    table.finish()
}

fn words<'a>(targets: &[&'a Target]) -> impl Iterator<Item = &'a str> {
    targets.iter().map(|target| target.as_str())
}

fn median_and_ratio(cell: &CellSummary, all_few: bool) -> String {
    let median = cell.total.map(|total| duration(total.median_ns)).unwrap_or_default();
    let sign = Mark::of(cell, all_few).map(|mark| mark.sign().to_string()).unwrap_or_default();
    match cell.ratio_to_native {
        Some(r) => format!("{median}, {sign}{}", ratio(r.ratio)),
        None => format!("{median} {sign}").trim_end().to_owned(),
    }
}

/// Every cell, with intervals.
fn medians(group: &Group) -> String {
    let header = [
        "function",
        "target",
        "n",
        "outliers",
        "median",
        "95 % interval",
        "p95",
        "p99",
        "ratio to native",
        "95 % interval",
        "verdict",
    ];
    let mut table = Table::new(header, 2);
    for cell in group.cells() {
        let total = |text: fn(Metric) -> String| cell.total.map_or("-".to_owned(), text);
        let beyond = |needs, ns: fn(Metric) -> u64| match cell.total {
            Some(total) if cell.n >= needs => duration(ns(total)),
            _ => "-".to_owned(),
        };
        let of_ratio = cell.ratio_to_native.map(|r| {
            let [lo, hi] = r.ci95;
            [
                ratio(r.ratio),
                format!("{} .. {}", ratio(lo), ratio(hi)),
                verdict(r.verdict).to_owned(),
            ]
        });
        table.row(
            [
                cell.cell.function.clone(),
                cell.cell.target.to_string(),
                format!("{}{}", cell.n, if cell.few_samples { " (few)" } else { "" }),
                cell.outliers.to_string(),
                total(|t| duration(t.median_ns)),
                total(|t| interval(t.ci95_ns)),
                beyond(P95_NEEDS, |t| t.p95_ns),
                beyond(P99_NEEDS, |t| t.p99_ns),
            ]
            .into_iter()
            .chain(of_ratio.unwrap_or_else(|| ["-"; 3].map(str::to_owned))),
        );
    }
    table.finish()
}

fn interval([lo, hi]: [u64; 2]) -> String {
    format!("{} .. {}", duration(lo), duration(hi))
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Equivalent => "equivalent",
        Verdict::Unsure => "unsure",
    }
}

/// Where the time goes: each phase's median as a share of the median total.
fn phases(group: &Group) -> String {
    let occurring: BTreeSet<Phase> =
        group.cells().flat_map(|cell| cell.phases.keys().copied()).collect();
    if occurring.is_empty() {
        return String::new();
    }
    let names = occurring.iter().map(|phase| phase.as_str());
    let mut table = Table::new(["function", "target", "total"].into_iter().chain(names), 2);
    for cell in group.functions.iter().flat_map(|function| group.measured(function)) {
        let Some(total) = cell.total else { continue };
        let share = |phase| match cell.phases.get(phase) {
            Some(metric) => percent(metric.median_ns as f64 / total.median_ns.max(1) as f64),
            None => String::new(),
        };
        let names = [cell.cell.function.clone(), cell.cell.target.to_string()];
        let shares = std::iter::once(duration(total.median_ns)).chain(occurring.iter().map(share));
        table.row(names.into_iter().chain(shares));
    }
    format!("### Where the time goes\n\n{}", table.finish())
}

/// What a cold start is made of.
fn cold_starts(group: &Group) -> String {
    if !group.is_cold() {
        return String::new();
    }
    let names = Phase::COLD_START.iter().map(|phase| phase.as_str());
    let header = ["function", "target", "cold start", "95 % interval"].into_iter().chain(names);
    let mut table = Table::new(header, 2);
    for cell in group.cells() {
        let Some(cold) = cell.cold_start else { continue };
        let part = |phase| cell.phases.get(phase).map_or("-".to_owned(), |m| duration(m.median_ns));
        let whole = [
            cell.cell.function.clone(),
            cell.cell.target.to_string(),
            duration(cold.median_ns),
            interval(cold.ci95_ns),
        ];
        table.row(whole.into_iter().chain(Phase::COLD_START.iter().map(part)));
    }
    format!("### Cold start\n\n{}", table.finish())
}

/// CPU time and memory.
fn resources(group: &Group) -> String {
    let header =
        ["function", "target", "CPU time", "95 % interval", "peak memory", "linear memory"];
    let mut table = Table::new(header, 2);
    for cell in group.cells().filter(|cell| cell.n > 0) {
        let size = |memory: Option<u64>| memory.map_or("-".to_owned(), bytes);
        table.row([
            cell.cell.function.clone(),
            cell.cell.target.to_string(),
            cell.cpu.map_or("-".to_owned(), |cpu| duration(cpu.median_ns)),
            cell.cpu.map_or("-".to_owned(), |cpu| interval(cpu.ci95_ns)),
            size(cell.memory_peak_bytes),
            size(cell.linear_memory_bytes),
        ]);
    }
    format!("### CPU and memory\n\n{}", table.finish())
}

fn refused(info: &RunInfo) -> Vec<String> {
    let gate = info.gate_failures.iter().map(|line| format!("stopped at the gate: {line}"));
    notes::refusals(info).into_iter().chain(gate).collect()
}

fn fairness(summary: &Summary, info: &RunInfo) -> Vec<String> {
    let settings = info.settings.iter().map(|(target, text)| format!("{target}: {text}"));
    let redis = info.redis.iter().map(|version| format!("Redis {version}"));
    let noise = format!("noise: {}", notes::noise(summary));
    let facts = info.fairness.checks.iter().map(ToString::to_string).chain([noise]);
    facts.chain(redis).chain(settings).chain(info.artifacts.iter().cloned()).collect()
}

/// The artifacts' sizes; for native also what a container's image was published to be.
fn sizes(info: &RunInfo) -> String {
    let sizes = &info.fairness.sizes;
    let forms = sizes.forms();
    if forms.is_empty() {
        return String::new();
    }
    let names = forms.iter().map(|form| form.0.as_str());
    let mut table = Table::new(["function"].into_iter().chain(names), 1);
    for (function, of) in sizes.functions() {
        let size = |form: &&Form| of.get(*form).map_or("-".to_owned(), |size| bytes(*size));
        table.row(std::iter::once(function.to_owned()).chain(forms.iter().map(size)));
    }
    format!(
        "## Sizes of the artifacts\n\n{}Without a base image, as files. With one, native in a \
         container's image was published to be {PUBLISHED_IMAGE} (Lumos, IOT 2025, section 6.3).\n\n",
        table.finish()
    )
}

fn how_to_read(summary: &Summary) -> Vec<String> {
    let margin = percent(summary.margin);
    let marks = [Mark::Same, Mark::Unsure, Mark::Few, Mark::Failures];
    let marks = marks.map(|mark| format!("{}: {}", mark.example(), mark.meaning()));
    let lines = [
        "Times run from the intended arrival of a request to its response; tables show medians.",
        "Intervals are 95 % bootstrap intervals of the median; those of ratios are drawn over \
         paired blocks, block k of a cell with block k of native.",
        &format!(
            "A ratio is called a difference only when its whole interval lies beyond the noise \
             floor of the control pair, and beyond {margin}."
        ),
        "A phase's share is its median over the median total; shares need not add up to 100 %. A \
         sample without a phase that others of its cell have counts as 0.",
        "p95 is shown from 20 samples on and p99 from 100 on: below that nothing lies beyond them.",
        "The geometric mean is that of the functions for which every target has a ratio.",
    ];
    lines.map(str::to_owned).into_iter().chain(marks).collect()
}

/// A section with a list; `when_empty` stands there instead of no line, and without
/// it the section is left out.
fn list(title: &str, lines: &[String], when_empty: &str) -> String {
    let body = match lines {
        [] if when_empty.is_empty() => return String::new(),
        [] => format!("{when_empty}\n"),
        lines => lines.iter().fold(String::new(), |mut body, line| {
            let _ = writeln!(body, "- {}", escape(line));
            body
        }),
    };
    format!("## {title}\n\n{body}\n")
}

/// A Markdown table whose first columns are words and the others numbers.
struct Table(String);

impl Table {
    fn new<'a>(header: impl IntoIterator<Item = &'a str>, words: usize) -> Self {
        let header: Vec<String> = header.into_iter().map(str::to_owned).collect();
        let rule = (0..header.len()).map(|index| if index < words { "---" } else { "--:" });
        let rule = rule.collect::<Vec<_>>().join("|");
        let mut table = Self(String::new());
        table.row(header);
        let _ = writeln!(table.0, "|{rule}|");
        table
    }

    fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().map(|cell| escape(&cell)).collect();
        let _ = writeln!(self.0, "| {} |", cells.join(" | "));
    }

    fn finish(self) -> String {
        format!("{}\n", self.0)
    }
}

/// Keeps text from being read as Markdown where that would break a line or table.
fn escape(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('\n', " ")
        .replace('<', "&lt;")
        .replace('*', "\\*")
        .replace('~', "\\~")
}
