//! The product of the axes.

use lumos_model::cell::{Cell, Demand, Storage, Target};

use crate::hosts::Host;
use crate::scenario::{Scenario, Targets};

/// All cells of the matrix, in the order of the scenario's lists.
pub(super) fn expand(scenario: &Scenario, hosts: &[Host]) -> Vec<Cell> {
    let matrix = &scenario.matrix;
    let targets = match &matrix.targets {
        Targets::Named(targets) => targets.clone(),
        Targets::All => all_targets(hosts),
    };
    let demands = demands(scenario);
    let mut cells = Vec::new();
    for function in &matrix.functions {
        for &size in &matrix.sizes {
            for target in &targets {
                for &isolation in &matrix.isolation {
                    cells.extend(demands.iter().map(|(storage, demand)| Cell {
                        function: function.clone(),
                        size,
                        target: target.clone(),
                        isolation,
                        storage: *storage,
                        demand: demand.clone(),
                    }));
                }
            }
        }
    }
    cells
}

/// The demands on each combination of function, size, target and isolation.
fn demands(scenario: &Scenario) -> Vec<(Storage, Demand)> {
    let storages = &scenario.matrix.storage;
    match &scenario.load {
        None => {
            let of_start = |start| storages.iter().map(move |s| (*s, Demand::Each(start)));
            scenario.matrix.start.iter().copied().flat_map(of_start).collect()
        }
        Some(load) => {
            let points = load.points();
            let of_storage =
                |storage| points.iter().map(move |p| (storage, Demand::Load(p.clone())));
            storages.iter().copied().flat_map(of_storage).collect()
        }
    }
}

fn all_targets(hosts: &[Host]) -> Vec<Target> {
    let capabilities = hosts.iter().filter_map(|host| host.result.as_ref().ok());
    capabilities.flat_map(|known| &known.targets).map(|known| known.target.clone()).collect()
}
