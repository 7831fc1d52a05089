//! Samples that are few, or that were disturbed.

use lumos_analysis::summary::{CellSummary, Summary};
use lumos_model::health::{MAX_CLOCK_DROP, MAX_STEAL_SHARE};
use lumos_model::row::Taint;

use crate::names::point;
use crate::numbers::percent;

/// Cells with too few samples: `native fibonacci small warm n=2`.
pub(crate) fn few(summary: &Summary) -> Vec<String> {
    let few = summary.each_cells().filter(|(_, of)| of.few_samples && of.n > 0);
    few.map(|(cell, of)| format!("{} n={}", place(cell), of.n)).collect()
}

/// The samples that were taken while something disturbed the machine: a line for all, and one
/// for each disturbance.
pub(crate) fn tainted(summary: &Summary) -> Vec<String> {
    let cells: Vec<&CellSummary> = summary.cells.iter().filter(|cell| cell.tainted > 0).collect();
    if cells.is_empty() {
        return Vec::new();
    }
    let whole = format!(
        "{} of {} samples, in {} of {} cells, were taken while something disturbed the machine; \
         they count like the others",
        cells.iter().map(|cell| cell.tainted).sum::<usize>(),
        summary.cells.iter().map(|cell| cell.observed()).sum::<usize>(),
        cells.len(),
        summary.cells.len()
    );
    let lines = Taint::ALL.iter().filter_map(|taint| of_taint(*taint, &cells));
    std::iter::once(whole).chain(lines).collect()
}

fn of_taint(taint: Taint, cells: &[&CellSummary]) -> Option<String> {
    let samples = |cell: &CellSummary| cell.taints.get(&taint).copied().unwrap_or(0);
    let all: usize = cells.iter().map(|cell| samples(cell)).sum();
    let worst = cells.iter().max_by_key(|cell| samples(cell)).filter(|_| all > 0)?;
    Some(format!(
        "{all} {}; most in {}: {} of {}",
        disturbance(taint),
        place(worst),
        samples(worst),
        worst.observed()
    ))
}

fn disturbance(taint: Taint) -> String {
    match taint {
        Taint::Throttled => "while the board was throttled or lacked power".to_owned(),
        Taint::Steal => {
            let share = percent(MAX_STEAL_SHARE);
            format!("with more than {share} of CPU time stolen by the hypervisor")
        }
        Taint::Load => "while other processes wanted every core".to_owned(),
        Taint::Frequency => {
            format!("with a clock that fell by more than {}", percent(MAX_CLOCK_DROP))
        }
    }
}

fn place(cell: &CellSummary) -> String {
    format!("{} {}", cell.cell.target, point(&cell.cell))
}
