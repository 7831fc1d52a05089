//! What a person sees at the end of a run: a table for each start kind, then what to
//! know before trusting it.

use std::collections::BTreeSet;

use comfy_table::{CellAlignment, Table, presets};
use lumos_analysis::summary::{CellSummary, Summary};
use lumos_model::cell::Target;

use super::group::{Entry, Group, groups};
use super::info::RunInfo;
use super::load::{self, LoadColumn, LoadTable};
use super::notes::{self, Mark};
use super::numbers::{duration, ratio, rough_ratio};

/// Blanks between two columns.
const GAP: usize = 2;
/// Longest lists of notes; the Markdown report has them all.
const MOST_NOTES: usize = 8;

/// Renders `summary` for a terminal of `width` columns.
pub fn render(summary: &Summary, info: &RunInfo, width: usize) -> String {
    let groups = groups(summary, info);
    let mut out = heading(summary, info, &groups, width);
    for group in &groups {
        out.push_str(&section(group, width));
    }
    for table in load::tables(summary) {
        out.push_str(&load_section(&table, width));
    }
    out.push_str(&footer(summary, info, &groups, width));
    out
}

fn heading(summary: &Summary, info: &RunInfo, groups: &[Group], width: usize) -> String {
    let mut out = String::new();
    let started = match info.started.as_str() {
        "" => String::new(),
        started => format!(", started {started}"),
    };
    if !info.title.is_empty() {
        out.push_str(&format!("{}{started}\n", info.title));
    }
    if !info.machine.is_empty() {
        wrap(&info.machine, width).for_each(|line| out.push_str(&format!("{line}\n")));
    }
    out.push_str(match groups {
        [] if !summary.load.is_empty() => "Functions under load.\n\n",
        [] => "No invocation was measured.\n\n",
        groups if groups.iter().any(Group::has_ratios) => {
            "Median time of an invocation, and how many times that of native it is.\n\n"
        }
        _ => "Median time of an invocation.\n\n",
    });
    out
}

/// A group's title and its table, or several tables where one would be too wide.
fn section(group: &Group, width: usize) -> String {
    let few = if group.is_all_few() { ": a hint and no result" } else { "" };
    let title = format!("{} ({}{few})", group.title(), group.samples_text());
    let mut out: String = wrap(&title, width).map(|line| line + "\n").collect();
    let functions = Column::of_functions(group);
    let mut columns: Vec<Column> =
        group.targets.iter().map(|target| Column::of_target(group, target)).collect();
    let has_native = group.targets.first().is_some_and(|target| target.is_native());
    let rest = columns.split_off(usize::from(has_native && columns.len() > 1));
    let fixed: Vec<&Column> = std::iter::once(&functions).chain(&columns).collect();
    let room = width.saturating_sub(fixed.iter().map(|column| column.width + GAP).sum());
    for part in parts(&rest, room) {
        let columns: Vec<&Column> = fixed.iter().copied().chain(part).collect();
        out.push_str(&table(&columns, 1));
        out.push('\n');
    }
    out
}

/// A table of cells under load, or several where one would be too wide.
fn load_section(of: &LoadTable, width: usize) -> String {
    let mut out: String = wrap(&of.title, width).map(|line| line + "\n").collect();
    let mut columns: Vec<Column> = of
        .columns
        .iter()
        .map(|LoadColumn { header: [above, below], entries }| {
            Column::new([above, below], entries.clone(), None)
        })
        .collect();
    let rest = columns.split_off(of.words);
    let room = width.saturating_sub(columns.iter().map(|column| column.width + GAP).sum());
    for part in parts(&rest, room) {
        let columns: Vec<&Column> = columns.iter().chain(part).collect();
        out.push_str(&table(&columns, of.words));
        out.push('\n');
    }
    out
}

/// One column of a table, as text.
struct Column {
    lines: Vec<String>,
    /// Index of the lines before which a rule is drawn.
    rules: Vec<usize>,
    width: usize,
}

impl Column {
    fn new(header: [&str; 2], rows: Vec<String>, mean: Option<String>) -> Self {
        let mut lines = vec![header[0].to_owned(), header[1].to_owned()];
        lines.extend(rows);
        let mut rules = vec![2];
        if let Some(mean) = mean {
            rules.push(lines.len());
            lines.push(mean);
        }
        let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        Self { lines, rules, width }
    }

    fn of_functions(group: &Group) -> Self {
        let rows = group.functions.iter().map(|function| (*function).to_owned()).collect();
        let mean = group.geometric_means().map(|(_, of)| match of {
            all if all == group.functions.len() => "geometric mean".to_owned(),
            some => format!("geometric mean ({some})"),
        });
        Self::new(["", ""], rows, mean)
    }

    fn of_target(group: &Group, target: &Target) -> Self {
        let (times, ratios): (Vec<String>, Vec<String>) =
            group.functions.iter().map(|function| entry(group, function, target)).unzip();
        let mean = group.geometric_means().map(|(means, _)| match means.get(target) {
            Some(mean) if group.is_all_few() => format!("?{}", rough_ratio(*mean)),
            Some(mean) => ratio(*mean),
            None => String::new(),
        });
        let ratio_width = ratios.iter().chain(&mean).map(String::len).max().unwrap_or(0);
        let join = |(time, ratio): (String, String)| match (time.as_str(), ratio_width) {
            (_, 0) => time,
            _ if ratio.is_empty() && !is_time(&time) => time,
            _ => format!("{time} {ratio:>ratio_width$}"),
        };
        let rows = times.into_iter().zip(ratios).map(join).collect();
        let header = match target.mode() {
            Some(mode) => [target.runtime(), mode],
            None => ["", target.as_str()],
        };
        Self::new(header, rows, mean)
    }
}

/// Whether `text` begins with a number, so that ratios may be aligned after it.
fn is_time(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// Time and ratio of a cell, or a word for why it has none.
fn entry(group: &Group, function: &str, target: &Target) -> (String, String) {
    match group.entry(function, target) {
        Entry::Measured(cell) => (time(cell), ratio_text(cell, group.is_all_few())),
        Entry::Failed(cell) => (notes::why_empty(cell).to_owned(), String::new()),
        Entry::Refused => ("not run".to_owned(), String::new()),
        Entry::Absent => ("-".to_owned(), String::new()),
    }
}

fn time(cell: &CellSummary) -> String {
    cell.total.map(|total| duration(total.median_ns)).unwrap_or_default()
}

/// The ratio with its mark; the mark alone where there is no ratio.
fn ratio_text(cell: &CellSummary, all_few: bool) -> String {
    let mark = Mark::of(cell, all_few);
    let sign = mark.map(|mark| mark.sign().to_string()).unwrap_or_default();
    match (cell.ratio_to_native, mark) {
        (None, _) => sign,
        (Some(_), Some(Mark::Same)) => "~1x".to_owned(),
        (Some(r), Some(_)) => format!("{sign}{}", rough_ratio(r.ratio)),
        (Some(r), None) => ratio(r.ratio),
    }
}

/// Cuts columns into as few tables as `room` allows, of like length.
fn parts(columns: &[Column], room: usize) -> Vec<&[Column]> {
    let widest = columns.iter().map(|column| column.width + GAP).max().unwrap_or(1);
    let all: usize = columns.iter().map(|column| column.width + GAP).sum();
    if all <= room {
        return vec![columns];
    }
    let most = (room / widest).max(1);
    let tables = columns.len().div_ceil(most).max(1);
    columns.chunks(columns.len().div_ceil(tables)).collect()
}

/// The first columns are `words`, the others numbers.
fn table(columns: &[&Column], words: usize) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    for index in 0..columns[0].lines.len() {
        if columns[0].rules.contains(&index) {
            table.add_row(columns.iter().map(|column| "─".repeat(column.width)));
        }
        // comfy-table drops rows without any text; a header's first line may be one.
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

/// What to know before trusting the tables, and where to look further.
fn footer(summary: &Summary, info: &RunInfo, groups: &[Group], width: usize) -> String {
    let any_few = groups.iter().any(|group| !group.is_all_few());
    let mut list = Notes::new(width);
    list.add("Marks", &marks(summary, groups));
    list.add_all("Load", &load::notes(summary));
    list.add("Mean", &means(groups));
    list.add("Noise", &[notes::noise(summary)]);
    list.add("Failed", &notes::failures(summary));
    list.add("Gate", &info.gate_failures);
    list.add("Not run", &notes::refusals(info));
    list.add("Few", if any_few { notes::few_samples(summary) } else { Vec::new() }.as_slice());
    list.add("No ratio", &notes::missing_ratios(summary));
    list.add("Tainted", &notes::tainted(summary));
    list.add_all("Fairness", &fairness(info));
    list.add("Caution", &[load::cautions(summary), info.warnings.clone()].concat());
    list.add("Files", &info.files);
    list.finish()
}

/// Each rule of fairness, with what shows it.
fn fairness(info: &RunInfo) -> Vec<String> {
    info.fairness.checks.iter().map(ToString::to_string).collect()
}

/// Which functions a geometric mean leaves out.
fn means(groups: &[Group]) -> Vec<String> {
    let is_partial = |group: &Group| {
        group.geometric_means().is_some_and(|(_, functions)| functions < group.functions.len())
    };
    match groups.iter().any(is_partial) {
        true => vec!["of the functions for which every target of the table has a ratio".into()],
        false => Vec::new(),
    }
}

/// The meanings of the marks that occur.
fn marks(summary: &Summary, groups: &[Group]) -> Vec<String> {
    let under_load = summary.load.iter().filter_map(|load| Mark::of_ratio(load.ratio_to_native));
    let marks: BTreeSet<Mark> = groups
        .iter()
        .flat_map(|group| group.cells().map(|cell| (group.is_all_few(), cell)))
        .filter(|(_, cell)| cell.n > 0)
        .filter_map(|(all_few, cell)| Mark::of(cell, all_few))
        .chain(under_load)
        .collect();
    marks.into_iter().map(|mark| format!("{:<7}{}", mark.example(), mark.meaning())).collect()
}

/// Labelled lists, wrapped beside their labels.
pub(crate) struct Notes {
    out: String,
    width: usize,
}

impl Notes {
    const LABEL: usize = 10;

    /// None yet, for a terminal of `width` columns.
    pub fn new(width: usize) -> Self {
        Self { out: String::new(), width }
    }

    /// The text of all lists.
    pub fn finish(self) -> String {
        self.out
    }

    /// Adds a list, cut short when it is long; nothing when it is empty.
    pub fn add(&mut self, label: &str, lines: &[String]) {
        self.add_all(label, &lines[..lines.len().min(MOST_NOTES)]);
        if lines.len() > MOST_NOTES {
            let more = lines.len() - MOST_NOTES;
            let text = format!("{:<width$}and {more} more\n", "", width = Self::LABEL);
            self.out.push_str(&text);
        }
    }

    /// Adds a list as long as it is.
    fn add_all(&mut self, label: &str, lines: &[String]) {
        let mut label = label;
        for line in lines {
            for (index, part) in wrap(line, self.width.saturating_sub(Self::LABEL)).enumerate() {
                let hang = if index == 0 { "" } else { "  " };
                let text = format!("{label:<width$}{hang}{part}", width = Self::LABEL);
                self.out.push_str(text.trim_end());
                self.out.push('\n');
                label = "";
            }
        }
    }
}

/// Breaks `text` at blanks into lines of at most `width` characters, with two left for
/// the hanging indent; a longer word stays whole.
pub(crate) fn wrap(text: &str, width: usize) -> impl Iterator<Item = String> {
    let width = width.saturating_sub(2);
    let mut lines = vec![String::new()];
    // A unit stays with its number.
    let text = text.replace(" %", "\u{a0}%");
    for word in text.split(' ') {
        let line = lines.last_mut().expect("never empty");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.into_iter().map(|line| line.replace('\u{a0}', " "))
}
