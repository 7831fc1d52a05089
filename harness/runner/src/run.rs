//! The main path: from a scenario to the rows of a run. Read [`Experiment::execute`] from top to
//! bottom.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, bail};
use lumos_model::cell::Cell;
use lumos_model::files;
use lumos_model::manifest::RunOptions;
use lumos_os::machine::{Probe, Root};
use lumos_record::RunWriter;
use lumos_scenario::Scenario;
use lumos_scenario::hosts::Host;
use lumos_scenario::plan::{Block, Plan};
use lumos_scenario::selector::Selector;

use crate::artifacts::Artifacts;
use crate::block::{self, BlockSettings, TrafficSource};
use crate::directory::RunDirectory;
use crate::gate::{self, Admission};
use crate::hosts::discover;
use crate::interrupt;
use crate::manifest;
use crate::observer::Observer;
use crate::session::{Session, Settings};

/// A scenario to run, and where.
#[derive(Debug)]
pub struct Experiment {
    /// The scenario.
    pub scenario: Scenario,
    /// The text of its file.
    pub text: String,
    /// The run directory.
    pub directory: RunDirectory,
    /// Options of the command line that override the scenario.
    pub options: RunOptions,
    /// The functions as built.
    pub artifacts: Artifacts,
    /// The Redis server to use; `None`: one is started when a cell needs it.
    pub redis_url: Option<String>,
}

impl Experiment {
    /// Measures what the scenario describes. The rows are in the run directory afterwards.
    ///
    /// # Errors
    /// When nothing can be measured, the disk is full, or a signal asks the command to end. Rows
    /// that were written are kept.
    pub fn execute(&self, observer: &dyn Observer) -> anyhow::Result<()> {
        // The scenario and what the hosts can do give a plan: cells, and blocks in their order.
        let hosts = discover().context("look for hosts next to lumos")?;
        let plan = self.plan(&hosts)?;

        // What the cells need: control groups, artifacts, storages with the inputs, requests.
        interrupt::install()?;
        let settings = Settings::of(&self.scenario, self.redis_url.clone());
        let mut session = Session::new(hosts, self.artifacts.clone(), settings);
        session.provide(plan.runnable())?;

        // The run directory, where a run that was ended early has complete blocks.
        let mut manifest = manifest::before_gate(&self.scenario, &self.options, &plan, &session)?;
        let (mut writer, complete) =
            self.directory.open(&self.scenario, &self.text, &mut manifest)?;
        let mut blocks = plan.blocks.clone();
        blocks.retain(|block| !complete.contains(&block.id()));
        if blocks.is_empty() {
            // New proofs would only change the manifest of a run that is complete.
            return Ok(());
        }

        // The gate: every artifact proves its mode, and all targets give the same outputs.
        let cells: Vec<Cell> = plan.runnable().cloned().collect();
        observer.stage(&format!(
            "gate: {} cells; each artifact is invoked once with each input",
            cells.len()
        ));
        let admission = gate::run(&session, &cells, observer)?;
        for failure in admission.failures() {
            observer.warn(&failure.to_string());
        }
        admission.record_in(&mut manifest);
        writer.write_manifest(&manifest)?;
        blocks.retain(|block| admission.admits(&block.cell));

        // The blocks: a host measures each of them, and its rows are written when it is over.
        let measured = self.measure(&blocks, &session, &admission, &mut writer, observer);
        observer.finish();
        measured
    }

    /// Measures `blocks` in their shuffled order. The rows of a block are written before the next
    /// block starts.
    fn measure(
        &self,
        blocks: &[Block],
        session: &Session,
        admission: &Admission,
        writer: &mut RunWriter,
        observer: &dyn Observer,
    ) -> anyhow::Result<()> {
        let trace = self.trace_copy(writer)?;
        let traffic = self.scenario.load.as_ref().map(|settings| TrafficSource {
            settings,
            trace: trace.as_deref(),
            seed: self.scenario.seed,
        });
        let settings = BlockSettings { budget: self.scenario.budget, traffic };
        let probe = Probe::new(Root::system());
        observer.blocks_start(blocks.len() as u64);
        for block in blocks {
            interrupt::check()?;
            observer.block_start(&block.cell);
            let mut measured = block::measure(session, block, &settings, &probe, observer)?;
            admission.check_outputs(&block.cell, &mut measured.rows);
            writer.append(&measured.rows, &measured.telemetry)?;
            observer.block_done();
        }
        Ok(())
    }

    fn plan(&self, hosts: &[Host]) -> anyhow::Result<Plan> {
        let filter = match &self.options.filter {
            Some(filter) => filter.parse::<Selector>()?,
            None => Selector::default(),
        };
        let plan = Plan::new(&self.scenario, hosts, &filter);
        if plan.cells.is_empty() {
            bail!("no cell of the scenario matches --filter {filter}");
        }
        if plan.runnable().next().is_none() {
            let reasons: BTreeSet<&str> = plan.refused().map(|(_, reason)| reason).collect();
            let reasons: Vec<&str> = reasons.into_iter().collect();
            bail!("no cell of the scenario can run here:\n  {}", reasons.join("\n  "));
        }
        Ok(plan)
    }

    /// The absolute path of the run's copy of the recorded arrivals, if there are any.
    fn trace_copy(&self, writer: &RunWriter) -> anyhow::Result<Option<PathBuf>> {
        let copy = self.scenario.trace().map(|_| writer.dir().join(files::TRACE));
        copy.map(std::path::absolute).transpose().context("the run directory")
    }
}
