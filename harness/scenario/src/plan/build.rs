//! A plan from a scenario.

use super::blocks::{control, shuffled_blocks};
use super::cells::expand;
use super::refusal::refusal;
use super::schema::{Plan, PlannedCell};
use crate::hosts::Host;
use crate::scenario::Scenario;
use crate::selector::Selector;

impl Plan {
    /// Expands the matrix of `scenario` into cells, checks each against the hosts, and shuffles
    /// the blocks of those that can run.
    pub fn new(scenario: &Scenario, hosts: &[Host], filter: &Selector) -> Self {
        let cells: Vec<_> = expand(scenario, hosts)
            .into_iter()
            .filter(|cell| filter.matches(cell))
            .map(|cell| PlannedCell { refusal: refusal(&cell, scenario, hosts), cell })
            .collect();
        let runnable = || cells.iter().filter(|c| c.refusal.is_none()).map(|c| &c.cell);
        let control = control(runnable()).cloned();
        let blocks = shuffled_blocks(runnable(), scenario);
        Self { seed: scenario.seed, cells, blocks, control }
    }
}
