//! The main path: from a scenario to rows and a report. Read [`Run::execute`] from top
//! to bottom.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, bail};
use lumos_host::measure::hex;
use lumos_model::SCHEMA;
use lumos_model::cell::Cell;
use lumos_model::row::{Outcome, Row, Sample};
use sha2::{Digest, Sha256};

use crate::artifacts::Artifacts;
use crate::block::load::Period;
use crate::block::{self, Terms};
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
use crate::scenario::{Scenario, TRACE_COPY};
use crate::selector::Selector;
use crate::session::{Session, Settings};
use crate::store::{self, BlockId, RunDir, RunManifest, RunOptions, Trace};
use crate::summary::load::{LoadSummary, is_of_overload};

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
        let manifest = self.manifest(&plan, &session, &Verdict::default())?;
        let (mut dir, done) = self.open_dir(manifest)?;
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
        if plan.blocks.iter().all(|block| done.contains(&id(block))) {
            // The run is complete; to prove its modes once more would change what it says.
            return Ok(());
        }
        let cells: Vec<Cell> = plan.runnable().cloned().collect();
        let progress = Progress::new();
        progress.stage(&format!("gate: {} cells, one invocation of each artifact", cells.len()));
        let session = Mutex::new(session);
        let verdict = gate::run(&session, &cells, &|what| progress.note(what))?;
        let session = session.into_inner().unwrap_or_else(|e| e.into_inner());
        for failure in &verdict.failures {
            progress.warn(failure);
        }
        let mut manifest = self.manifest(plan, &session, &verdict)?;
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
            let trace = self.scenario.trace();
            let dir = RunDir::create(&self.dir, &self.text, trace.as_deref(), &manifest)?;
            return Ok((dir, HashSet::new()));
        }
        let begun = store::read_manifest(&self.dir)?;
        if begun.trace != manifest.trace {
            bail!(
                "{} is not what the run began with: restore it, or start a new run",
                self.dir.join(TRACE_COPY).display()
            );
        }
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
        let blocks: Vec<&Block> = plan
            .blocks
            .iter()
            .filter(|block| verdict.admits(&block.cell) && !done.contains(&id(block)))
            .collect();
        let probe = Probe::new(Root::system());
        let trace = self.scenario.trace().map(|_| dir.path().join(TRACE_COPY));
        let trace = trace.map(std::path::absolute).transpose().context("the run directory")?;
        let load = self.scenario.load.as_ref().map(|settings| Period {
            settings,
            trace: trace.as_deref(),
            seed: self.scenario.seed,
        });
        let terms = Terms { budget: self.scenario.budget, load };
        progress.start(blocks.len() as u64);
        for block in blocks {
            interrupt::check()?;
            progress.block(&block.cell);
            let warn = |what: &str| progress.warn(what);
            let mut measured = block::measure(session, block, &terms, &probe, warn)?;
            if let Some(expected) = verdict.expected(&block.cell) {
                measured.rows.iter_mut().for_each(|row| check_output(row, &expected.sha256));
            }
            dir.append(&measured.rows, &measured.telemetry)?;
            progress.done();
        }
        Ok(())
    }

    fn manifest(
        &self,
        plan: &Plan,
        session: &Session,
        verdict: &Verdict,
    ) -> anyhow::Result<RunManifest> {
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
        Ok(RunManifest {
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
            trace: self.trace()?,
            options: self.options.clone(),
            cells: plan.runnable().cloned().collect(),
        })
    }

    /// The recorded arrivals: those beside the scenario, or the copy of a run that goes on.
    fn trace(&self) -> anyhow::Result<Option<Trace>> {
        let (Some(load), Some(path)) = (&self.scenario.load, self.scenario.trace()) else {
            return Ok(None);
        };
        let mut file = File::open(&path).with_context(|| format!("open {}", path.display()))?;
        let mut hash = Sha256::new();
        let bytes = std::io::copy(&mut file, &mut hash)
            .with_context(|| format!("read {}", path.display()))?;
        let named = load.trace().map(Path::to_owned).unwrap_or_default();
        Ok(Some(Trace { file: named, sha256: hex(&hash.finalize()), bytes }))
    }
}

/// What a block is called in the run directory.
fn id(block: &Block) -> BlockId {
    (block.cell.clone(), block.block, block.control)
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
    let failed = summary.cells.iter().any(|cell| cell.failed() > 0)
        || summary.load.iter().any(LoadSummary::is_broken);
    let all_well = !failed && control_failures.is_none() && info.gate_failures.is_empty();
    Ok(if all_well { Ended::Complete } else { Ended::WithFailures })
}

/// A line about failures of the control pair, which stand in no cell of the summary.
fn control_failures(dir: &RunDir) -> anyhow::Result<Option<String>> {
    let (mut count, mut first) = (0, None);
    for row in Rows::open(dir.path())? {
        let row = row?;
        let is_overload = row.cell.load.is_some() && is_of_overload(row.sample.outcome);
        let counts = matches!(row.sample.outcome, Outcome::Ok | Outcome::WrongStart);
        if row.control && !counts && !is_overload {
            count += 1;
            first = first.or(row.sample.error);
        }
    }
    let example = first.map(|error| format!(" (\"{error}\")")).unwrap_or_default();
    Ok((count > 0).then(|| format!("{count} invocations of the control pair failed{example}")))
}
