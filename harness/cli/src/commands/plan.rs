//! `lumos plan`: what a run of a scenario would do.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use lumos_model::SCHEMA;
use lumos_model::arrival::Traffic;
use lumos_model::cell::Cell;
use lumos_model::pool::{PoolConfig, Scaling};
use lumos_report::numbers::bytes;
use lumos_runner::discovery;
use lumos_scenario::plan::{Block, Estimate, Plan as RunPlan};
use lumos_scenario::scenario::{LoadSettings, Scenario, expected_requests};
use lumos_scenario::selector::Axis;

use super::shared::{Format, Narrow, align_right, count, lines, load_scenario, table};
use crate::commands::Exit;

/// What a row under load takes on disk, with its part of the block's telemetry.
const ROW_BYTES: u64 = 800;

/// Show the cells of a scenario, what cannot run and why, and an estimate of the time.
#[derive(Debug, clap::Args)]
pub struct Plan {
    /// The scenario, a TOML file (see scenarios/README.md).
    file: PathBuf,
    #[command(flatten)]
    narrow: Narrow,
    /// In which form.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Plan {
    /// Writes the plan to `out`.
    ///
    /// # Errors
    /// When the scenario holds mistakes, or nothing is left after the filter.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let (mut scenario, _) = load_scenario(&self.file)?;
        self.narrow.apply(&mut scenario);
        let filter = self.narrow.filter();
        let plan = RunPlan::new(&scenario, &discovery::discover()?, &filter);
        if plan.cells.is_empty() {
            bail!("no cell of {} matches --filter {filter}", self.file.display());
        }
        match self.format {
            Format::Text => out.write_all(text(&scenario, &plan).as_bytes())?,
            Format::Json => {
                serde_json::to_writer_pretty(&mut *out, &json(&scenario, &plan))?;
                writeln!(out)?;
            }
        }
        Ok(Exit::Done)
    }
}

fn json(scenario: &Scenario, plan: &RunPlan) -> serde_json::Value {
    let estimate = plan.estimate(scenario);
    serde_json::json!({
        "schema": SCHEMA,
        "scenario": scenario,
        "cells": plan.cells,
        "control": plan.control,
        "blocks": plan.blocks,
        "estimate": {
            "blocks": estimate.blocks,
            "samples": estimate.samples,
            "warmups": estimate.warmups,
            "gaps_ns": estimate.gaps.as_nanos() as u64,
            "budget_ns": estimate.budget.map(|budget| budget.as_nanos() as u64),
            "load_ns": estimate.load.as_nanos() as u64,
        },
    })
}

/// The plan for people.
fn text(scenario: &Scenario, plan: &RunPlan) -> String {
    let mut parts = vec![axes(scenario, plan), cells(plan)];
    if plan.runnable().count() < plan.cells.len() {
        parts.push(refusals(plan));
    }
    parts.push(effort(scenario, plan));
    parts.join("\n")
}

/// Name, purpose, and the words of each axis.
fn axes(scenario: &Scenario, plan: &RunPlan) -> String {
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

/// How instances are kept, but for their keep-alive.
fn pool(pool: &PoolConfig) -> String {
    let PoolConfig { min_instances, max_instances, prewarmed, queue, scaling, .. } = pool;
    let scaling = match scaling {
        Scaling::Immediate => "for each request that finds none".to_owned(),
        Scaling::Window { window, utilization } => {
            format!("by the concurrency over {window}, at {utilization} % of use")
        }
    };
    let prewarmed = match prewarmed {
        0 => String::new(),
        some => format!(", {some} kept ready"),
    };
    format!(
        "{min_instances} to {max_instances} instances{prewarmed}, made {scaling}; {queue} requests may \
         wait"
    )
}

/// How many cells of each target and start can run.
fn cells(plan: &RunPlan) -> String {
    let columns = pairs(plan, |cell| (cell.isolation, cell.start()));
    let runnable = plan.runnable().count();
    let text = format!("{} of {} can run\n\n", runnable, count(plan.cells.len(), "cell"));
    let many = columns.iter().map(|(isolation, _)| isolation).collect::<BTreeSet<_>>().len() > 1;
    let header: Vec<String> = columns
        .iter()
        .map(|(isolation, start)| match many {
            true => format!("{isolation}\n{start}"),
            false => start.to_string(),
        })
        .collect();
    let mut table = table(["target"].into_iter().chain(header.iter().map(String::as_str)));
    for target in pairs(plan, |cell| cell.target.clone()) {
        let entries = columns.iter().map(|column| {
            let of =
                |cell: &&Cell| cell.target == target && (cell.isolation, cell.start()) == *column;
            let all = plan.cells.iter().map(|planned| &planned.cell).filter(of).count();
            match plan.runnable().filter(of).count() {
                0 => "-".to_owned(),
                some if some < all => format!("{some} of {all}"),
                all => all.to_string(),
            }
        });
        table.add_row([target.to_string()].into_iter().chain(entries));
    }
    align_right(&mut table, 1..columns.len() + 1);
    text + &lines(&table)
}

/// What cannot run, by reason; of which cells it is said by the axes on which they differ
/// from the rest.
fn refusals(plan: &RunPlan) -> String {
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

/// Blocks, samples, the control pair, and the time that is known before.
fn effort(scenario: &Scenario, plan: &RunPlan) -> String {
    let Estimate { blocks, samples, warmups, gaps, budget, load: sending } =
        plan.estimate(scenario);
    if blocks == 0 {
        return "Nothing of it can run here.\n".to_owned();
    }
    let mut text = match &scenario.load {
        Some(load) => format!(
            "{}, each a period of load of {} and at most {} requests; shuffled with seed {}\n{}",
            count(blocks as usize, "block"),
            load.duration,
            load.requests,
            plan.seed,
            capped(load, plan)
        ),
        None => format!(
            "{} with {}, {}; shuffled with seed {}\n",
            count(blocks as usize, "block"),
            count(samples as usize, "sample"),
            count(warmups as usize, "warm-up invocation"),
            plan.seed
        ),
    };
    text += &match &plan.control {
        Some(cell) => format!("control pair: {cell} is measured twice, for the noise floor\n"),
        None => "no control pair: no native cell runs, so the noise floor stays unknown\n".into(),
    };
    if scenario.load.is_some() {
        let most = most_requests(scenario, plan);
        text += &format!(
            "rows: at most {most}, about {} on disk\n",
            bytes(most.saturating_mul(ROW_BYTES))
        );
        text += &format!(
            "estimate: {} of load; starts of hosts, the last requests of each block and the check of \
             outputs come on top\n",
            seconds(sending)
        );
        return text;
    }
    text += &format!("estimate: at least {} of declared gaps", seconds(gaps));
    if let (Some(all), Some(each)) = (budget, scenario.budget) {
        text += &format!("; at most about {} in blocks ({each} each)", seconds(all));
    }
    text += "; starts of hosts, warm-ups and the check of outputs come on top\n";
    text
}

/// Requests that all blocks send together at most, as far as arrivals foretell it.
fn most_requests(scenario: &Scenario, plan: &RunPlan) -> u64 {
    let Some(load) = &scenario.load else { return 0 };
    let of_block = |block: &Block| {
        let traffic = &block.cell.load()?.traffic;
        let expected = expected_requests(traffic, load.duration).unwrap_or(f64::INFINITY);
        Some(expected.min(f64::from(load.requests)).ceil() as u64)
    };
    plan.blocks.iter().filter_map(of_block).sum()
}

/// Which arrivals the cap of requests ends before their time.
fn capped(load: &LoadSettings, plan: &RunPlan) -> String {
    let is_here = |traffic: &&Traffic| {
        plan.runnable().any(|cell| cell.load().is_some_and(|l| l.traffic == **traffic))
    };
    let line = |traffic: &Traffic| {
        let expected = expected_requests(traffic, load.duration)?;
        (expected > f64::from(load.requests)).then(|| {
            format!(
                "{traffic} would send about {expected:.0} requests in {}: its blocks end before, at {}\n",
                load.duration, load.requests
            )
        })
    };
    load.traffic.iter().filter(is_here).filter_map(line).collect()
}

/// A time as one reads it on a watch.
fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0 if time.is_zero() => "0 s".to_owned(),
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        whole @ 10..120 => format!("{whole} s"),
        whole @ 120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// The different words of `cells` on `axis`, in the order of the plan.
fn words<'c>(cells: impl Iterator<Item = &'c Cell>, axis: Axis) -> Vec<Cow<'c, str>> {
    let mut seen = BTreeSet::new();
    cells.filter_map(|cell| axis.of(cell)).filter(|word| seen.insert(word.clone())).collect()
}

/// The different values of `key`, in the order of the plan.
fn pairs<K: Ord + Clone>(plan: &RunPlan, key: impl Fn(&Cell) -> K) -> Vec<K> {
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
        text(&scenario, &RunPlan::new(&scenario, &hosts(), &filter))
    }

    #[test]
    fn a_plan_says_what_runs_what_does_not_and_why() {
        let toml = format!(
            "description = \"A small one\"\nbudget = \"2s\"\n{SMALL}\n\
             [[exclude]]\nfunction = \"fibonacci\"\nstart = \"warm\"\nreason = \"too dull\""
        );
        insta::assert_snapshot!(shown(&toml, ""));
    }

    #[test]
    fn a_plan_of_load_names_its_axes_and_states_its_time() {
        insta::assert_snapshot!(shown(LOAD, ""));
        let poisson =
            LOAD.replace("closed", "poisson").replace("concurrency = [4, 32]", "rate = [5, 5000]");
        let text = shown(&poisson, "driver=http");
        let capped =
            "poisson-5000 would send about 10000 requests in 2s: its blocks end before, at 5000";
        assert!(text.contains(capped) && !text.contains("poisson-5 would"), "{text}");
    }

    #[test]
    fn a_plan_without_anything_to_run_says_so() {
        insta::assert_snapshot!(shown(SMALL, "target=wasmedge-aot"));
    }

    #[test]
    fn a_plan_without_native_has_no_control() {
        let shown = shown(SMALL, "target=wasmtime-aot");
        assert!(shown.contains("no control pair: no native cell runs"), "{shown}");
    }
}
