//! What a report says in words: noise, failures, what could not run, missing ratios.

use std::collections::BTreeMap;

use lumos_analysis::summary::load::is_of_overload;
use lumos_analysis::summary::{CellSummary, LoadSummary, Ratio, Summary, Verdict};
use lumos_model::cell::{Cell, Target};
use lumos_model::row::{Outcome, Taint};

use super::info::RunInfo;
use super::numbers::percent;

/// What the control pairs showed, in a sentence.
pub fn noise(summary: &Summary) -> String {
    let Some(floor) = &summary.noise_floor else {
        let why = summary.why_no_noise_floor.as_deref().unwrap_or("no control pair");
        return format!(
            "unknown: {why}; differences below {} are not called any",
            percent(summary.margin)
        );
    };
    let widest = percent(floor.widest.floor);
    match floor.pairs.len() {
        1 => format!(
            "control pair: native against itself differs by up to {widest}; smaller differences \
             are not called any"
        ),
        pairs => {
            let floors = floor.pairs.iter().map(|pair| pair.floor);
            let least = percent(floors.fold(f64::INFINITY, f64::min));
            format!(
                "{pairs} control pairs: native against itself differs by up to {widest} ({}; least \
                 {least}); smaller differences are not called any",
                point(&floor.widest.cell)
            )
        }
    }
}

/// How an invocation ended, as a word for a table.
pub fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Error => "failed",
        Outcome::Trap => "trapped",
        Outcome::Timeout => "timed out",
        Outcome::OutOfMemory => "out of memory",
        Outcome::Rejected => "rejected",
        Outcome::Cancelled => "cancelled",
        Outcome::WrongStart => "wrong start",
    }
}

/// Why a cell has no numbers, as a word: its most frequent failure.
pub fn why_empty(cell: &CellSummary) -> &'static str {
    let most = cell.failures.iter().max_by_key(|(_, failure)| failure.count);
    outcome_word(most.map_or(Outcome::WrongStart, |(outcome, _)| *outcome))
}

/// One way to fail on one target.
#[derive(Default)]
struct Failed<'a> {
    places: Vec<String>,
    example: Option<&'a str>,
}

/// The failures, a line for each target and way to fail.
pub fn failures(summary: &Summary) -> Vec<String> {
    let mut ways: BTreeMap<(&Target, Outcome), Failed> = BTreeMap::new();
    for cell in &summary.cells {
        let all = cell.n + cell.failed() + cell.wrong_start;
        let kinds = cell.failures.iter().map(|(o, f)| (*o, f.count, f.example.as_deref()));
        let wrong_start = (Outcome::WrongStart, cell.wrong_start, None);
        for (outcome, count, example) in kinds.chain([wrong_start]).filter(|(_, n, _)| *n > 0) {
            let way = ways.entry((&cell.cell.target, outcome)).or_default();
            way.places.push(format!("{} {count} of {all}", point(&cell.cell)));
            way.example = way.example.or(example);
        }
    }
    // What an overload looks like stands in the tables.
    for load in summary.load.iter().filter(|load| load.is_broken()) {
        for (outcome, failure) in &load.failures {
            if load.ok == 0 || !is_of_overload(*outcome) {
                let way = ways.entry((&load.cell.target, *outcome)).or_default();
                let place = load_point(load);
                way.places.push(format!("{place} {} of {}", failure.count, load.requests));
                way.example = way.example.or(failure.example.as_deref());
            }
        }
    }
    let line = |((target, outcome), way): ((&Target, Outcome), Failed)| {
        let example = way.example.map(|text| format!(" (\"{text}\")")).unwrap_or_default();
        format!("{target} {}: {}{example}", outcome_word(outcome), way.places.join(", "))
    };
    ways.into_iter().map(line).collect()
}

/// What could not run, a line for each reason.
pub fn refusals(info: &RunInfo) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<&Cell>> = BTreeMap::new();
    for refused in &info.refused {
        by_reason.entry(&refused.reason).or_default().push(&refused.cell);
    }
    by_reason.into_iter().map(|(reason, cells)| format!("{}: {reason}", targets(&cells))).collect()
}

/// Why cells without a ratio have none, a line for each reason; failures are listed
/// elsewhere.
pub fn missing_ratios(summary: &Summary) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<&Cell>> = BTreeMap::new();
    for cell in summary.cells.iter().filter(|cell| cell.n > 0) {
        if let Some(why) = &cell.why_no_ratio {
            by_reason.entry(why).or_default().push(&cell.cell);
        }
    }
    for load in summary.load.iter().filter(|load| load.ok > 0) {
        if let Some(why) = &load.why_no_ratio {
            by_reason.entry(why).or_default().push(&load.cell);
        }
    }
    by_reason.into_iter().map(|(why, cells)| format!("{}: {why}", targets(&cells))).collect()
}

/// How many samples were measured while something disturbed the machine: a line in all,
/// and one for each disturbance.
pub fn tainted(summary: &Summary) -> Vec<String> {
    let ordinary =
        summary.cells.iter().map(|of| Tainted::new(&of.cell, of.n, of.tainted, &of.taints));
    let under_load =
        summary.load.iter().map(|of| Tainted::new(&of.cell, of.requests, of.tainted, &of.taints));
    let all: Vec<Tainted> = ordinary.chain(under_load).collect();
    let cells = || all.iter().filter(|cell| cell.tainted > 0);
    let samples: usize = cells().map(|cell| cell.tainted).sum();
    if samples == 0 {
        return Vec::new();
    }
    let whole = format!(
        "{samples} of {} samples, in {} of {} cells, were measured while something disturbed \
         the machine; they count like the others",
        all.iter().map(|cell| cell.n).sum::<usize>(),
        cells().count(),
        all.len()
    );
    let of_taint = |taint: &Taint| {
        let count: usize = cells().filter_map(|cell| cell.taints.get(taint)).sum();
        let worst = cells().max_by_key(|cell| cell.taints.get(taint).copied().unwrap_or(0))?;
        let most = worst.taints.get(taint)?;
        let place = format!("{} {}", worst.cell.target, point(worst.cell));
        Some(format!("{count} {}; most in {place}: {most} of {}", taint_words(*taint), worst.n))
    };
    std::iter::once(whole).chain(Taint::ALL.iter().filter_map(of_taint)).collect()
}

/// The disturbed samples of a cell.
struct Tainted<'a> {
    cell: &'a Cell,
    n: usize,
    tainted: usize,
    taints: &'a BTreeMap<Taint, usize>,
}

impl<'a> Tainted<'a> {
    fn new(cell: &'a Cell, n: usize, tainted: usize, taints: &'a BTreeMap<Taint, usize>) -> Self {
        Self { cell, n, tainted, taints }
    }
}

/// A disturbance in words; its limit is in `environment::health`.
fn taint_words(taint: Taint) -> &'static str {
    match taint {
        Taint::Throttled => "while the board was throttled or lacked power",
        Taint::Steal => "with more than 2 % of CPU time stolen by the hypervisor",
        Taint::Load => "while other processes wanted every core",
        Taint::Frequency => "with a clock that fell by more than 10 %",
    }
}

/// Cells with few samples among others that have enough: `fibonacci small warm n=2`.
pub fn few_samples(summary: &Summary) -> Vec<String> {
    let few = summary.cells.iter().filter(|cell| cell.few_samples && cell.n > 0);
    few.map(|cell| format!("{} {} n={}", cell.cell.target, point(&cell.cell), cell.n)).collect()
}

/// A cell without its target: `fibonacci small warm`.
fn point(cell: &Cell) -> String {
    format!("{} {} {}", cell.function, cell.size, cell.start())
}

/// A cell under load without its target: `fibonacci small http closed-16`.
fn load_point(load: &LoadSummary) -> String {
    let (cell, point) = (&load.cell, load.point());
    format!("{} {} {} {}", cell.function, cell.size, point.driver, point.traffic)
}

/// The targets of `cells`, each with their number: `container-runc (18 cells)`.
fn targets(cells: &[&Cell]) -> String {
    let mut counts: BTreeMap<&Target, usize> = BTreeMap::new();
    for cell in cells {
        *counts.entry(&cell.target).or_default() += 1;
    }
    let words = counts.into_iter().map(|(target, count)| match count {
        1 => format!("{target} (1 cell)"),
        _ => format!("{target} ({count} cells)"),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// What may stand before a ratio, from the gravest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Some invocations of the cell failed.
    Failures,
    /// Too few samples.
    Few,
    /// No difference beyond noise and margin.
    Same,
    /// The interval does not decide.
    Unsure,
}

impl Mark {
    /// The mark of a cell; in a table where all samples are few, its title says so.
    pub fn of(cell: &CellSummary, all_few: bool) -> Option<Mark> {
        match () {
            () if cell.failed() > 0 => Some(Mark::Failures),
            () if cell.few_samples && !all_few => Some(Mark::Few),
            () => Mark::of_ratio(cell.ratio_to_native),
        }
    }

    /// The mark of a ratio by itself.
    pub fn of_ratio(ratio: Option<Ratio>) -> Option<Mark> {
        match ratio?.verdict {
            Verdict::Equivalent => Some(Mark::Same),
            Verdict::Unsure => Some(Mark::Unsure),
            Verdict::Faster | Verdict::Slower => None,
        }
    }

    /// The character before the number.
    pub const fn sign(self) -> char {
        match self {
            Mark::Failures => '!',
            Mark::Few => '*',
            Mark::Same => '~',
            Mark::Unsure => '?',
        }
    }

    /// What it looks like.
    pub const fn example(self) -> &'static str {
        match self {
            Mark::Failures => "!1.2x",
            Mark::Few => "*1.2x",
            Mark::Same => "~1x",
            Mark::Unsure => "?1.2x",
        }
    }

    /// What it means.
    pub const fn meaning(self) -> &'static str {
        match self {
            Mark::Failures => "some invocations failed; the number is that of the others",
            Mark::Few => "fewer than 5 samples: a hint and no result",
            Mark::Same => "no difference beyond noise and margin",
            Mark::Unsure => "undecided: the samples allow both a difference and none",
        }
    }
}
