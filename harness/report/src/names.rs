//! Names of cells, and words of the model as reports write them.

use lumos_analysis::metric::Metric;
use lumos_model::cell::{Cell, Demand, LoadPoint, Storage};
use lumos_model::row::Outcome;

/// A cell without its target: `fibonacci small warm`, `noop tiny http closed-16`.
pub(crate) fn point(cell: &Cell) -> String {
    let Cell { function, size, .. } = cell;
    match &cell.demand {
        Demand::Each(start) => format!("{function} {size} {start}"),
        Demand::Load(LoadPoint { driver, traffic, .. }) => {
            format!("{function} {size} {driver} {traffic}")
        }
    }
}

/// A cell under load in full: `native noop tiny process direct closed-4 keep-alive 1s`.
pub(crate) fn load_name(cell: &Cell, point: &LoadPoint) -> String {
    let Cell { function, size, target, isolation, .. } = cell;
    let LoadPoint { driver, traffic, keep_alive } = point;
    format!("{target} {function} {size} {isolation} {driver} {traffic} keep-alive {keep_alive}")
}

/// A cell in full, but for `inline` storage, which most runs have.
pub(crate) fn cell_name(cell: &Cell) -> String {
    let Cell { function, size, target, isolation, storage, .. } = cell;
    let storage = match storage {
        Storage::Inline => String::new(),
        storage => format!(" {storage}"),
    };
    let load = cell.load().map(|load| format!(" {load}")).unwrap_or_default();
    format!("{function} {size} {target} {isolation} {}{storage}{load}", cell.start())
}

pub(crate) fn metric_words(metric: Metric) -> &'static str {
    match metric {
        Metric::ColdStart => "cold start",
        Metric::Cpu => "CPU time",
        Metric::MemoryPeak => "peak memory",
        Metric::LinearMemory => "linear memory",
        Metric::PerResponse => "time per response",
        Metric::Total | Metric::Phase(_) | Metric::Service | Metric::Platform => metric.as_str(),
    }
}

/// How an invocation ended, for a table.
pub(crate) fn outcome_words(outcome: Outcome) -> &'static str {
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
