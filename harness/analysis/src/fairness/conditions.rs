//! Whether all cells were measured under the same conditions.

use std::collections::{BTreeMap, BTreeSet};

use lumos_model::cell::{Cell, Size, Start, Storage};
use lumos_model::row::BlockId;
use lumos_scenario::plan::shuffled_blocks;
use lumos_scenario::scenario::{Connection, Pinning};

use super::check::{Check, RunFacts};

/// Bound on the CPU time of a cgroup over that of the processes in it: the two are not read at
/// the same instant.
const GROUP_EXCESS: f64 = 1.05;

const LIMITS: &str = "same limits for every target";
const PINNING: &str = "same pinning for every target";
const ORDER: &str = "blocks of all cells shuffled";
const OUTSIDE: &str = "Redis and driver outside of the measured cgroups";
const CONNECTIONS: &str = "same number of connections per request on every target";
const CONTROL: &str = "control pair";

pub(super) fn checks(run: &RunFacts) -> Vec<Check> {
    vec![limits(run), pinning(run), order(run), outside(run), connections(run), control(run)]
}

/// A scenario has one set of limits; the question is whether it could be enforced.
fn limits(run: &RunFacts) -> Check {
    let limits = &run.scenario.limits;
    let bound = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
    let stated = format!(
        "cpus {}, memory {}, timeout {}",
        bound(limits.cpus.map(|cpus| cpus.to_string())),
        bound(limits.memory.map(|memory| memory.to_string())),
        limits.timeout
    );
    match &run.manifest.cgroup_mode {
        Some(mode) => Check::held(LIMITS, format!("{stated}; enforced by cgroups ({mode})")),
        None if limits.cpus.is_none() && limits.memory.is_none() => Check::held(LIMITS, stated),
        None => Check::violated(LIMITS, format!("{stated}; not enforced, as there are no cgroups")),
    }
}

fn pinning(run: &RunFacts) -> Check {
    let evidence = match run.scenario.pinning {
        Pinning::OneCore => "hosts, instances and Redis share the last core on every target",
        Pinning::None => "none on every target: the kernel chooses the cores",
    };
    Check::held(PINNING, evidence)
}

/// Each block must be at the position that the scenario's seed gives it.
fn order(run: &RunFacts) -> Check {
    let orders = &run.observed.orders;
    if orders.is_empty() {
        return Check::unknown(ORDER, "no block was measured");
    }
    let planned: BTreeMap<BlockId, u32> = shuffled_blocks(run.manifest.cells.iter(), run.scenario)
        .into_iter()
        .map(|block| (block.id(), block.order))
        .collect();
    let misplaced = orders.iter().filter_map(|(id, order)| match planned.get(id) {
        Some(expected) if expected == order => None,
        Some(expected) => Some(format!(
            "block {} of {} is at position {order} instead of {expected}",
            id.block, id.cell
        )),
        None => Some(format!("block {} of {} was not planned", id.block, id.cell)),
    });
    let evidence = format!(
        "all {} blocks are at the positions that seed {} gives; {:.0} % of neighbours are of \
         different cells",
        orders.len(),
        run.scenario.seed,
        interleaved(run) * 100.0
    );
    Check::decided(ORDER, misplaced.collect(), evidence)
}

/// The share of neighbouring blocks that are of different cells.
fn interleaved(run: &RunFacts) -> f64 {
    let mut by_order: Vec<_> =
        run.observed.orders.iter().map(|(id, order)| (order, &id.cell)).collect();
    by_order.sort_unstable_by_key(|(order, _)| **order);
    let pairs = by_order.windows(2);
    let other = pairs.clone().filter(|pair| pair[0].1 != pair[1].1).count();
    other as f64 / pairs.count().max(1) as f64
}

/// If anything but the instance ran in its cgroup, the cgroup would have used more CPU time
/// than the instance.
fn outside(run: &RunFacts) -> Check {
    if run.is_load() {
        let why = "under load each instance has a cgroup of its own, made by its host; the CPU time \
                   in cgroups is checked with the warm cells of scenarios without load";
        return Check::inapplicable(OUTSIDE, why);
    }
    let shares = group_shares(run);
    if shares.is_empty() {
        return Check::unknown(OUTSIDE, "no warm process has counters of its cgroup");
    }
    let most = shares.values().copied().fold(0.0, f64::max);
    let over = shares.iter().filter(|(_, share)| **share > GROUP_EXCESS);
    let violations =
        over.map(|(cell, share)| format!("the cgroup of {cell} used {share:.2}x")).collect();
    let evidence = format!(
        "in {} warm cells the instances' cgroups used at most {most:.3}x the CPU time of the \
         instances",
        shares.len()
    );
    Check::decided(OUTSIDE, violations, evidence)
}

/// CPU time of the cgroups over that of the processes in them, by cell.
fn group_shares<'a>(run: &'a RunFacts) -> BTreeMap<&'a Cell, f64> {
    let mut sums: BTreeMap<&Cell, (u64, u64)> = BTreeMap::new();
    for (id, process) in &run.observed.process_cpu_ns {
        let Some(group) = run.observed.group_cpu_ns.get(id) else { continue };
        if *process > 0 && *group > 0 {
            let sum = sums.entry(&id.cell).or_default();
            *sum = (sum.0 + process, sum.1 + group);
        }
    }
    let share = |(process, group): (u64, u64)| group as f64 / process as f64;
    sums.into_iter().map(|(cell, sums)| (cell, share(sums))).collect()
}

/// Function, size and whether the start is warm: what decides how often a sample connects.
type Connecting<'a> = (&'a str, Size, bool);

/// All targets of a function must connect equally often.
fn connections(run: &RunFacts) -> Check {
    if run.is_load() && run.scenario.connection == Connection::Instance {
        let why =
            "with one connection per instance, their number follows from that of the instances";
        return Check::inapplicable(CONNECTIONS, why);
    }
    let shares = connection_shares(run);
    if shares.is_empty() {
        return Check::held(CONNECTIONS, "no function of the run uses a socket");
    }
    let rounded = |cells: &BTreeMap<&Cell, f64>| -> BTreeSet<u64> {
        cells.values().map(|share| (share * 1e3) as u64).collect()
    };
    let unequal = shares.values().filter(|cells| rounded(cells).len() > 1);
    let violations = unequal.map(|cells| {
        let all = cells.iter().map(|(cell, share)| format!("{cell} {share:.2}"));
        all.collect::<Vec<_>>().join(", ")
    });
    let connecting = shares.values().filter(|cells| cells.values().any(|share| *share > 0.0));
    let evidence = format!(
        "equal for {} functions and sizes with Redis, {} of which connect",
        shares.len(),
        connecting.count()
    );
    Check::decided(CONNECTIONS, violations.collect(), evidence)
}

/// The share of samples that connected to Redis, by cell.
fn connection_shares<'a>(run: &'a RunFacts) -> BTreeMap<Connecting<'a>, BTreeMap<&'a Cell, f64>> {
    let mut shares: BTreeMap<Connecting, BTreeMap<&Cell, f64>> = BTreeMap::new();
    for (cell, (samples, connected)) in &run.observed.connected {
        if cell.storage == Storage::Redis {
            let place = (cell.function.as_str(), cell.size, cell.start() == Start::Warm);
            let share = *connected as f64 / (*samples).max(1) as f64;
            shares.entry(place).or_default().insert(cell, share);
        }
    }
    shares
}

fn control(run: &RunFacts) -> Check {
    let control = run.observed.orders.keys().find(|id| id.control);
    let has_native = run.manifest.cells.iter().any(|cell| cell.target.is_native());
    match control {
        Some(id) => Check::held(CONTROL, format!("{} was measured twice", id.cell)),
        None if has_native => {
            Check::violated(CONTROL, "native was planned, and no control block was measured")
        }
        None => Check::unknown(CONTROL, "native is not in the run, so its noise is unknown"),
    }
}
