//! Why a cell cannot run.

use lumos_model::cell::{Cell, Isolation, Start};

use crate::hosts::{self, Host};
use crate::scenario::Scenario;

/// Why `cell` is not measured; `None` if it is.
pub(super) fn refusal(cell: &Cell, scenario: &Scenario, hosts: &[Host]) -> Option<String> {
    if let Some(exclude) = scenario.exclude.iter().find(|exclude| exclude.cells.matches(cell)) {
        return Some(format!("excluded by the scenario: {}", exclude.reason));
    }
    match hosts::capability(hosts, &cell.target) {
        Ok(target) => target.refusal(cell.isolation, needed_start(cell), cell.storage),
        Err(reason) => Some(reason),
    }
}

/// The start kind that a target must support for this cell. A pool starts new instances.
fn needed_start(cell: &Cell) -> Start {
    match (cell.start(), cell.isolation) {
        (Start::Mixed, Isolation::Process) => Start::ColdProcess,
        (Start::Mixed, Isolation::Thread) => Start::ColdInstance,
        (start, _) => start,
    }
}
