//! The main path: from a scenario to rows and a report. Read [`Run::execute`] from top
//! to bottom.

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, bail};
use lumos_model::SCHEMA;
use lumos_model::cell::Cell;
use lumos_model::row::{Outcome, Row, Sample};

use crate::artifacts::Artifacts;
use crate::block;
use crate::commands;
use crate::discovery::{self, Host};
use crate::doctor::Machine;
use crate::environment::{Probe, Root};
use crate::gate::{self, Verdict};
use crate::interrupt;
use crate::plan::{Block, Plan};
use crate::progress::Progress;
use crate::report;
use crate::rows::Rows;
use crate::run_info;
use crate::scenario::Scenario;
use crate::selector::Selector;
use crate::session::{Session, Settings};
use crate::store::{self, BlockId, RunDir, RunManifest, RunOptions};

/// What a run is started with.
#[derive(Debug)]
pub struct Run {
    /// The experiment.
    pub scenario: Scenario,
    /// Its file's text.
    pub text: String,
    /// The run directory.
    pub dir: PathBuf,
    /// Whether the run directory holds a run that goes on.
    pub resume: bool,
    /// What the command line says beside the scenario.
    pub options: RunOptions,
    /// The functions as built.
    pub artifacts: Artifacts,
    /// A Redis server to use; `None`: one is started.
    pub redis_url: Option<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All was measured.
    Complete,
    /// Something that was to be measured failed; the report says what.
    WithFailures,
}

impl Run {
    /// Measures what the scenario describes and prints the comparison to `out`.
    ///
    /// # Errors
    /// When nothing can be measured, the disk is full, or the user interrupts; rows that
    /// were written stay.
    pub fn execute(self, out: &mut dyn Write) -> anyhow::Result<Ended> {
        let begin = Instant::now();
        let hosts = discovery::discover().context("look for hosts beside lumos")?;
        let plan = self.plan(&hosts)?;
        interrupt::install()?;
        let mut session =
            Session::new(hosts, self.artifacts.clone(), Settings::from(&self.scenario));
        session.provide(plan.runnable(), self.redis_url.as_deref())?;
        let (mut dir, done) = self.open_dir(self.manifest(&plan, &session, &Verdict::default()))?;
        let measured = self.measure(&plan, session, &done, &mut dir);
        measured.and_then(|()| conclude(&dir, begin, out)).with_context(|| {
            format!(
                "stopped; what was measured is kept: go on with `lumos run --resume {}`",
                dir.path().display()
            )
        })
    }

    /// The gate, then the blocks.
    fn measure(
        &self,
        plan: &Plan,
        session: Session,
        done: &HashSet<BlockId>,
        dir: &mut RunDir,
    ) -> anyhow::Result<()> {
        let cells: Vec<Cell> = plan.runnable().cloned().collect();
        let progress = Progress::new();
        progress.stage(&format!("gate: {} cells, one invocation of each artifact", cells.len()));
        let session = Mutex::new(session);
        let verdict = gate::run(&session, &cells, &|what| progress.note(what))?;
        let session = session.into_inner().unwrap_or_else(|e| e.into_inner());
        for failure in &verdict.failures {
            progress.warn(failure);
        }
        let mut manifest = self.manifest(plan, &session, &verdict);
        manifest.started = store::read_manifest(dir.path())?.started;
        manifest.report.started = manifest.started.clone();
        dir.write_manifest(&manifest)?;

        let measured = self.measure_blocks(plan, &session, &verdict, done, dir, &progress);
        progress.finish();
        measured
    }

    fn plan(&self, hosts: &[Host]) -> anyhow::Result<Plan> {
        let filter = match &self.options.filter {
            Some(filter) => filter.parse::<Selector>()?,
            None => Selector::default(),
        };
        let plan = Plan::new(&self.scenario, hosts, &filter);
        if plan.runnable().next().is_none() {
            let reasons: HashSet<&str> = plan.refused().map(|(_, reason)| reason).collect();
            let mut reasons: Vec<&str> = reasons.into_iter().collect();
            reasons.sort_unstable();
            match reasons.is_empty() {
                true => bail!("--filter leaves no cell of the scenario"),
                false => bail!("no cell of the scenario can run here:\n  {}", reasons.join("\n  ")),
            }
        }
        Ok(plan)
    }

    fn open_dir(&self, manifest: RunManifest) -> anyhow::Result<(RunDir, HashSet<BlockId>)> {
        if !self.resume {
            return Ok((RunDir::create(&self.dir, &self.text, &manifest)?, HashSet::new()));
        }
        let begun = store::read_manifest(&self.dir)?;
        if let Some(changed) = manifest.artifacts.iter().find(|now| !begun.artifacts.contains(now))
        {
            bail!(
                "{} of {} is not the one that the run in {} began with: a run is of one build, \
                 so start a new one",
                changed.form,
                changed.function,
                self.dir.display()
            );
        }
        RunDir::resume(&self.dir)
    }

    /// Measures the blocks in their shuffled order; rows are on disk after each.
    fn measure_blocks(
        &self,
        plan: &Plan,
        session: &Session,
        verdict: &Verdict,
        done: &HashSet<BlockId>,
        dir: &mut RunDir,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        let id = |block: &Block| (block.cell.clone(), block.block, block.control);
        let blocks: Vec<&Block> = plan
            .blocks
            .iter()
            .filter(|block| verdict.admits(&block.cell) && !done.contains(&id(block)))
            .collect();
        let probe = Probe::new(Root::system());
        progress.start(blocks.len() as u64);
        for block in blocks {
            interrupt::check()?;
            progress.block(&block.cell);
            let warn = |what: &str| progress.warn(what);
            let mut measured = block::measure(session, block, self.scenario.budget, &probe, warn)?;
            if let Some(expected) = verdict.expected(&block.cell) {
                measured.rows.iter_mut().for_each(|row| check_output(row, &expected.sha256));
            }
            dir.append(&measured.rows, &measured.telemetry)?;
            progress.done();
        }
        Ok(())
    }

    fn manifest(&self, plan: &Plan, session: &Session, verdict: &Verdict) -> RunManifest {
        let mut artifacts = Vec::new();
        let mut seen = HashSet::new();
        for cell in plan.runnable() {
            if seen.insert((&cell.function, &cell.target))
                && let Ok((_, artifact)) = session.artifact(&cell.function, &cell.target)
            {
                artifacts.extend(session.artifacts.source(&artifact).cloned());
                artifacts.push(artifact);
            }
        }
        artifacts.sort_by(|a, b| (&a.function, &a.form).cmp(&(&b.function, &b.form)));
        artifacts.dedup();
        let versions = session.hosts.iter().filter_map(|host| host.result.as_ref().ok());
        let machine = Machine::read(&Root::system());
        RunManifest {
            schema: SCHEMA,
            name: self.scenario.name.clone(),
            started: run_info::utc_now(),
            lumos: env!("CARGO_PKG_VERSION").to_owned(),
            seed: self.scenario.seed,
            cgroup_mode: session.groups.mode().map(|mode| mode.to_string()),
            versions: versions.map(|c| (c.runtime.clone(), c.versions.clone())).collect(),
            report: run_info::collect(&self.scenario, plan, session, verdict, &artifacts, &machine),
            fingerprint: Some(machine.fingerprint),
            artifacts,
            functions_lock_sha256: Some(session.artifacts.manifest().lock_sha256.clone()),
            inputs_sha256: session.inputs_sha256.clone(),
            proofs: verdict.proofs.clone(),
            outputs: verdict.outputs.clone(),
            options: self.options.clone(),
            cells: plan.runnable().cloned().collect(),
        }
    }
}

/// An output that differs from the gate's is no result.
fn check_output(row: &mut Row, expected_sha256: &str) {
    let Sample { outcome, output_sha256, error, .. } = &mut row.sample;
    if *outcome == Outcome::Ok && output_sha256.as_deref() != Some(expected_sha256) {
        *outcome = Outcome::Error;
        *error = Some("the output differs from the one that the gate saw".to_owned());
    }
}

/// Summary and reports, from the rows alone.
fn conclude(dir: &RunDir, begin: Instant, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let (summary, mut info) = commands::report::read(dir.path())?;
    dir.write("summary.json", report::json::render(&summary).as_bytes())?;
    let report_path =
        dir.write("report.md", report::markdown::render(&summary, &info).as_bytes())?;
    info.files = vec![
        format!("run     {}", dir.path().display()),
        format!("report  {}", report_path.display()),
        format!("took    {:.0} s", begin.elapsed().as_secs_f64()),
    ];
    let control_failures = control_failures(dir)?;
    info.warnings.extend(control_failures.clone());
    let width = commands::report::width();
    writeln!(out, "{}", report::text::render(&summary, &info, width))?;
    let failed = summary.cells.iter().any(|cell| cell.failed() > 0);
    let all_well = !failed && control_failures.is_none() && info.gate_failures.is_empty();
    Ok(if all_well { Ended::Complete } else { Ended::WithFailures })
}

/// A line about failures of the control pair, which stand in no cell of the summary.
fn control_failures(dir: &RunDir) -> anyhow::Result<Option<String>> {
    let (mut count, mut first) = (0, None);
    for row in Rows::open(dir.path())? {
        let row = row?;
        if row.control && !matches!(row.sample.outcome, Outcome::Ok | Outcome::WrongStart) {
            count += 1;
            first = first.or(row.sample.error);
        }
    }
    let example = first.map(|error| format!(" (\"{error}\")")).unwrap_or_default();
    Ok((count > 0).then(|| format!("{count} invocations of the control pair failed{example}")))
}
