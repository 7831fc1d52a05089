//! `lumos plan`: what a run of a scenario would do.

mod text;

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use lumos_model::SCHEMA;
use lumos_runner::hosts::discover;
use lumos_scenario::Scenario;
use lumos_scenario::plan::Plan;
use serde_json::{Value, json};

use crate::arguments::{Format, ScenarioOptions, read_scenario};
use crate::exit::Exit;

/// Show the cells of a scenario, which of them cannot run and why, and how long a run takes
#[derive(Debug, clap::Args)]
pub(super) struct PlanCommand {
    /// The scenario, a TOML file (see scenarios/README.md)
    file: PathBuf,
    #[command(flatten)]
    options: ScenarioOptions,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl PlanCommand {
    /// Writes the plan to `out`.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let (scenario, _) = read_scenario(&self.file, &self.options.run_options())?;
        let filter = self.options.filter();
        let plan = Plan::new(&scenario, &discover()?, &filter);
        if plan.cells.is_empty() {
            bail!("no cell of {} matches --filter {filter}", self.file.display());
        }
        match self.format {
            Format::Text => out.write_all(text::text(&scenario, &plan).as_bytes())?,
            Format::Json => writeln!(out, "{:#}", json(&scenario, &plan))?,
        }
        Ok(Exit::Done)
    }
}

fn json(scenario: &Scenario, plan: &Plan) -> Value {
    let estimate = plan.estimate(scenario);
    json!({
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
