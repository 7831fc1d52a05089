//! Whether the run treated all cells alike while it measured.

use std::collections::{BTreeMap, BTreeSet};

use lumos_model::cell::{Cell, Start, Storage};
use lumos_model::units::ByteSize;
use lumos_scenario::plan::shuffled_blocks;
use lumos_scenario::scenario::{Connection, Pinning};

use super::{Check, Run, Status, check, inapplicable, unknown};

/// What a group may have used more than the processes in it: the readings are not taken
/// at the same instant.
const GROUP_EXCESS: f64 = 1.05;

pub(super) fn checks(run: &Run) -> Vec<Check> {
    vec![limits(run), pinning(run), order(run), outside(run), connections(run), control(run)]
}

/// A scenario has one set of limits; what could not be enforced is told.
fn limits(run: &Run) -> Check {
    const RULE: &str = "same limits for every target";
    let limits = &run.scenario.limits;
    let bound = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
    let stated = format!(
        "cpus {}, memory {}, timeout {}",
        bound(limits.cpus.map(|cpus| cpus.to_string())),
        bound(limits.memory.map(|ByteSize(bytes)| ByteSize(bytes).to_string())),
        limits.timeout
    );
    match &run.manifest.cgroup_mode {
        Some(mode) => check(RULE, &[], format!("{stated}; by control groups ({mode})")),
        None if limits.cpus.is_none() && limits.memory.is_none() => check(RULE, &[], stated),
        None => check(RULE, &[format!("{stated}, but without control groups")], String::new()),
    }
}

fn pinning(run: &Run) -> Check {
    let evidence = match run.scenario.pinning {
        Pinning::OneCore => "hosts, instances and Redis share the last core, on every target",
        Pinning::None => "none, on every target: the kernel chooses the cores",
    };
    check("same pinning for every target", &[], evidence.to_owned())
}

/// The blocks must stand where the shuffle of the scenario's seed puts them.
fn order(run: &Run) -> Check {
    const RULE: &str = "blocks of all cells shuffled";
    if run.observed.orders.is_empty() {
        return unknown(RULE, "no block was measured");
    }
    let planned: BTreeMap<_, u32> = shuffled_blocks(run.manifest.cells.iter(), run.scenario)
        .into_iter()
        .map(|block| (block.id(), block.order))
        .collect();
    let moved = run.observed.orders.iter().filter(|(id, order)| planned.get(*id) != Some(order));
    let faults: Vec<String> = moved
        .map(|(id, order)| format!("block {} of {} was the {order}th", id.block, id.cell))
        .collect();
    let evidence = format!(
        "{} blocks are where the shuffle with seed {} puts them, {} neighbours of another cell",
        run.observed.orders.len(),
        run.scenario.seed,
        percent(interleaved(run))
    );
    check(RULE, &faults, evidence)
}

/// A fraction in percent, without decimals.
fn percent(fraction: f64) -> String {
    format!("{:.0} %", fraction * 100.0)
}

/// The share of neighbouring blocks that are of different cells.
fn interleaved(run: &Run) -> f64 {
    let mut by_order: Vec<_> =
        run.observed.orders.iter().map(|(id, order)| (order, &id.cell)).collect();
    by_order.sort_unstable_by_key(|(order, _)| **order);
    let pairs = by_order.windows(2);
    let other = pairs.clone().filter(|pair| pair[0].1 != pair[1].1).count();
    other as f64 / pairs.count().max(1) as f64
}

/// If anything but the instance ran in its group, the group would have used more CPU
/// time than the instance.
fn outside(run: &Run) -> Check {
    const RULE: &str = "Redis and driver outside of the measured control groups";
    if run.is_load() {
        let why = "each instance under load has a group of its own, made by its host; whose CPU time is \
                   in it is checked with warm cells, in a scenario without load";
        return inapplicable(RULE, why);
    }
    let both = run.observed.process_cpu_ns.iter().filter_map(|(id, process)| {
        Some((&id.cell, *process, *run.observed.group_cpu_ns.get(id)?))
    });
    let mut cells: BTreeMap<&Cell, (u64, u64)> = BTreeMap::new();
    for (cell, process, group) in both.filter(|(_, process, group)| process.min(group) > &0) {
        let sums = cells.entry(cell).or_default();
        *sums = (sums.0 + process, sums.1 + group);
    }
    if cells.is_empty() {
        return unknown(RULE, "no warm process has counters of its control group");
    }
    let share = |(process, group): &(u64, u64)| *group as f64 / *process as f64;
    let most = cells.values().map(share).fold(0.0, f64::max);
    let over = cells.iter().filter(|(_, sums)| share(sums) > GROUP_EXCESS);
    let faults: Vec<String> =
        over.map(|(cell, sums)| format!("the group of {cell} used {:.2}x", share(sums))).collect();
    let evidence = format!(
        "in {} warm cells the instances' groups used {most:.3}x the CPU time of the instances at most",
        cells.len()
    );
    check(RULE, &faults, evidence)
}

/// All targets of a function must connect as often.
fn connections(run: &Run) -> Check {
    const RULE: &str = "as many connections a request on every target";
    if run.is_load() && run.scenario.connection == Connection::Instance {
        let why = "with a connection an instance, their number follows from that of the instances";
        return inapplicable(RULE, why);
    }
    let mut shares: BTreeMap<_, BTreeMap<&Cell, f64>> = BTreeMap::new();
    for (cell, (samples, connected)) in &run.observed.connected {
        if cell.storage == Storage::Redis {
            let place = (&cell.function, cell.size, cell.start() == Start::Warm);
            let share = *connected as f64 / (*samples).max(1) as f64;
            shares.entry(place).or_default().insert(cell, share);
        }
    }
    if shares.is_empty() {
        return check(RULE, &[], "no function of the run uses a socket".to_owned());
    }
    let mut faults = Vec::new();
    for cells in shares.values() {
        let values: BTreeSet<u64> = cells.values().map(|share| (share * 1e3) as u64).collect();
        if values.len() > 1 {
            let all = cells.iter().map(|(cell, share)| format!("{cell} {share:.2}"));
            faults.push(all.collect::<Vec<_>>().join(", "));
        }
    }
    let connecting = shares.values().filter(|cells| cells.values().any(|share| *share > 0.0));
    let evidence = format!(
        "alike for {} functions and sizes with Redis, {} of which connect",
        shares.len(),
        connecting.count()
    );
    check(RULE, &faults, evidence)
}

fn control(run: &Run) -> Check {
    const RULE: &str = "control pair";
    let control = run.observed.orders.keys().find(|id| id.control);
    let has_native = run.manifest.cells.iter().any(|cell| cell.target.is_native());
    match control {
        Some(id) => check(RULE, &[], format!("{} was measured twice", id.cell)),
        None if has_native => {
            let evidence = "native was planned, and no control block was measured".to_owned();
            Check { rule: RULE, status: Status::Violated, evidence }
        }
        None => unknown(RULE, "native is not in the run, so its noise is unknown"),
    }
}
