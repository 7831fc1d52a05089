//! A plan, for people.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lumos_model::cell::Cell;
use lumos_model::pool::{PoolConfig, Scaling};
use lumos_report::numbers::bytes;
use lumos_scenario::Scenario;
use lumos_scenario::plan::{Capped, Estimate, Plan, disk_bytes};
use lumos_scenario::scenario::LoadSettings;
use lumos_scenario::selector::Axis;

use crate::text::{Table, count};

pub(super) fn text(scenario: &Scenario, plan: &Plan) -> String {
    let mut parts = vec![axes(scenario, plan), cells(plan)];
    if plan.runnable().count() < plan.cells.len() {
        parts.push(refusals(plan));
    }
    parts.push(effort(scenario, plan));
    parts.join("\n")
}

/// Name, purpose, and the words of each axis.
fn axes(scenario: &Scenario, plan: &Plan) -> String {
    let mut text = format!("scenario {}", scenario.name);
    if let Some(description) = &scenario.description {
        text += &format!(": {}", description.trim());
    }
    text += "\n\n";
    for &axis in Axis::ALL {
        let words = words(plan.cells.iter().map(|planned| &planned.cell), axis);
        if !words.is_empty() {
            text += &format!("  {:<10} {}\n", axis.as_str(), words.join(", "));
        }
    }
    if let Some(load) = &scenario.load {
        text += &format!("  {:<10} {}\n", "pool", pool(&load.pool));
    }
    text
}

/// How instances are kept, except for the keep-alive, which is an axis.
fn pool(pool: &PoolConfig) -> String {
    let PoolConfig { min_instances, max_instances, prewarmed, queue, scaling, .. } = pool;
    let scaling = match scaling {
        Scaling::Immediate => "for each request that finds none idle".to_owned(),
        Scaling::Window { window, utilization } => {
            format!("by the concurrency over {window}, at {utilization} % utilisation")
        }
    };
    let prewarmed = match prewarmed {
        0 => String::new(),
        number => format!(", {number} kept ready"),
    };
    format!(
        "{min_instances} to {max_instances} instances{prewarmed}, added {scaling}; {queue} requests \
         may wait"
    )
}

/// How many cells of each target and start can run.
fn cells(plan: &Plan) -> String {
    let columns = distinct(plan, |cell| (cell.isolation, cell.start()));
    let isolations: BTreeSet<_> = columns.iter().map(|(isolation, _)| isolation).collect();
    let header: Vec<String> = columns
        .iter()
        .map(|(isolation, start)| match isolations.len() {
            0 | 1 => start.to_string(),
            _ => format!("{isolation}\n{start}"),
        })
        .collect();
    let header = ["target"].into_iter().chain(header.iter().map(String::as_str));
    let mut table = Table::new(header).align_right(1..columns.len() + 1);
    for target in distinct(plan, |cell| cell.target.clone()) {
        let entries = columns.iter().map(|column| {
            let is_here =
                |cell: &&Cell| cell.target == target && (cell.isolation, cell.start()) == *column;
            let all = plan.cells.iter().map(|planned| &planned.cell).filter(is_here).count();
            match plan.runnable().filter(is_here).count() {
                0 => "-".to_owned(),
                some if some < all => format!("{some} of {all}"),
                all => all.to_string(),
            }
        });
        table.row([target.to_string()].into_iter().chain(entries));
    }
    let runnable = plan.runnable().count();
    format!("{runnable} of {} can run\n\n{}", count(plan.cells.len(), "cell"), table.lines())
}

/// The cells that cannot run, by reason. They are described by the axes on which they differ from
/// the rest.
fn refusals(plan: &Plan) -> String {
    let mut by_reason: BTreeMap<&str, Vec<&Cell>> = BTreeMap::new();
    for (cell, reason) in plan.refused() {
        by_reason.entry(reason).or_default().push(cell);
    }
    let total: usize = by_reason.values().map(Vec::len).sum();
    let mut text = format!("{} cannot run\n\n", count(total, "cell"));
    for (reason, cells) in by_reason {
        text += &format!("  {:>4}  {reason}\n", cells.len());
        for &axis in Axis::ALL {
            let here = words(cells.iter().copied(), axis);
            if here.len() < words(plan.cells.iter().map(|planned| &planned.cell), axis).len() {
                text += &format!("        {axis}: {}\n", here.join(", "));
            }
        }
    }
    text
}

/// Blocks, samples, the control pair, and what is known of the time in advance.
fn effort(scenario: &Scenario, plan: &Plan) -> String {
    let estimate = plan.estimate(scenario);
    if estimate.blocks == 0 {
        return "No cell of the scenario can run here.\n".to_owned();
    }
    let control = match &plan.control {
        Some(cell) => format!("control pair: {cell} is measured twice, for the noise floor\n"),
        None => "no control pair: no native cell runs, so the noise floor stays unknown\n".into(),
    };
    match &scenario.load {
        Some(load) => {
            blocks_of_load(plan, &estimate, load) + &control + &cost_of_load(plan, &estimate, load)
        }
        None => {
            blocks_of_samples(plan, &estimate) + &control + &cost_of_samples(scenario, &estimate)
        }
    }
}

fn blocks_of_samples(plan: &Plan, estimate: &Estimate) -> String {
    format!(
        "{} with {}, {}; shuffled with seed {}\n",
        count(estimate.blocks as usize, "block"),
        count(estimate.samples as usize, "sample"),
        count(estimate.warmups as usize, "warm-up invocation"),
        plan.seed
    )
}

fn cost_of_samples(scenario: &Scenario, estimate: &Estimate) -> String {
    let mut text = format!("estimate: at least {} of declared gaps", wall_time(estimate.gaps));
    if let (Some(all), Some(each)) = (estimate.budget, scenario.budget) {
        text += &format!("; at most about {} in blocks ({each} each)", wall_time(all));
    }
    text + "; host starts, warm-ups and the gate come on top\n"
}

fn blocks_of_load(plan: &Plan, estimate: &Estimate, load: &LoadSettings) -> String {
    let LoadSettings { duration, requests, .. } = load;
    let mut text = format!(
        "{}, each with {duration} of load and at most {requests} requests; shuffled with seed {}\n",
        count(estimate.blocks as usize, "block"),
        plan.seed
    );
    for Capped { traffic, expected } in plan.capped(load) {
        text += &format!(
            "{traffic} would send about {expected:.0} requests in {duration}: its blocks end at \
             {requests}\n"
        );
    }
    text
}

fn cost_of_load(plan: &Plan, estimate: &Estimate, load: &LoadSettings) -> String {
    let rows = plan.most_requests(load);
    format!(
        "rows: at most {rows}, about {} on disk\n\
         estimate: {} of load; host starts, the last requests of each block and the gate come on \
         top\n",
        bytes(disk_bytes(rows)),
        wall_time(estimate.load)
    )
}

/// A time in the units of a clock.
fn wall_time(time: Duration) -> String {
    match time.as_secs() {
        0 if time.is_zero() => "0 s".to_owned(),
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        whole @ 10..120 => format!("{whole} s"),
        whole @ 120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// The distinct words of `cells` on `axis`, in the order of the plan.
fn words<'c>(cells: impl Iterator<Item = &'c Cell>, axis: Axis) -> Vec<Cow<'c, str>> {
    let mut seen = BTreeSet::new();
    cells.filter_map(|cell| axis.of(cell)).filter(|word| seen.insert(word.clone())).collect()
}

/// The distinct values of `key`, in the order of the plan.
fn distinct<K: Ord + Clone>(plan: &Plan, key: impl Fn(&Cell) -> K) -> Vec<K> {
    let mut seen = BTreeSet::new();
    let keys = plan.cells.iter().map(|planned| key(&planned.cell));
    keys.filter(|key| seen.insert(key.clone())).collect()
}

#[cfg(test)]
mod tests {
    use lumos_scenario::selector::Selector;
    use lumos_testkit::plans::{LOAD, SMALL, hosts, scenario};

    use super::*;

    fn shown(toml: &str, filter: &str) -> String {
        let scenario = scenario(toml);
        let filter: Selector = filter.parse().unwrap();
        text(&scenario, &Plan::new(&scenario, &hosts(), &filter))
    }

    #[test]
    fn a_plan_shows_what_runs_and_why_the_rest_does_not() {
        let toml = format!(
            "description = \"A small one\"\nbudget = \"2s\"\n{SMALL}\n\
             [[exclude]]\nfunction = \"fibonacci\"\nstart = \"warm\"\nreason = \"too dull\""
        );
        insta::assert_snapshot!(shown(&toml, ""));
    }

    #[test]
    fn a_plan_of_load_shows_its_axes_and_its_time() {
        insta::assert_snapshot!(shown(LOAD, ""));
        let poisson =
            LOAD.replace("closed", "poisson").replace("concurrency = [4, 32]", "rate = [5, 5000]");
        let text = shown(&poisson, "driver=http");
        let capped = "poisson-5000 would send about 10000 requests in 2s: its blocks end at 5000";
        assert!(text.contains(capped) && !text.contains("poisson-5 would"), "{text}");
    }

    #[test]
    fn a_plan_without_runnable_cells_shows_that() {
        insta::assert_snapshot!(shown(SMALL, "target=wasmedge-aot"));
    }

    #[test]
    fn a_plan_without_native_has_no_control_pair() {
        let shown = shown(SMALL, "target=wasmtime-aot");
        assert!(shown.contains("no control pair: no native cell runs"), "{shown}");
    }
}
