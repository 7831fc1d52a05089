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
use lumos_model::protocol::BlockResult;
use lumos_model::row::{Outcome, Row, Sample};

use crate::artifacts::Artifacts;
use crate::discovery::{self, Host};
use crate::gate;
use crate::host_client::ClientError;
use crate::interrupt::{self, Interrupted};
use crate::plan::{Block, Plan};
use crate::progress::Progress;
use crate::report;
use crate::run_info;
use crate::scenario::Scenario;
use crate::selector::Selector;
use crate::session::{Session, Settings};
use crate::store::{BlockId, BlockTelemetry, RunDir, RunManifest, RunOptions, rows_of};

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
        let (mut dir, done) = self.open_dir()?;
        let cells: Vec<Cell> = plan.runnable().cloned().collect();
        let progress = Progress::new();

        let mut session =
            Session::new(hosts, self.artifacts.clone(), Settings::from(&self.scenario));
        session.provide(cells.iter(), self.redis_url.as_deref())?;
        let session = Mutex::new(session);
        progress.stage(&format!("gate: {} cells, one invocation of each artifact", cells.len()));
        let verdict = gate::run(&session, &cells, &|what| progress.note(what))?;
        let session = session.into_inner().unwrap_or_else(|e| e.into_inner());
        for failure in &verdict.failures {
            progress.warn(failure);
        }
        dir.write_manifest(&self.manifest(&plan, &session, &verdict)?)?;
        if !cells.iter().any(|cell| verdict.admits(cell)) {
            bail!(
                "nothing passed the gate, so nothing was measured:\n{}",
                verdict.failures.join("\n")
            );
        }

        let measured = self.measure(&plan, &session, &verdict, &done, &mut dir, &progress);
        progress.finish();
        if let Err(error) = measured {
            return Err(match error.downcast::<Interrupted>() {
                Ok(interrupted) => anyhow::Error::new(interrupted).context(format!(
                    "stopped; the rows so far are kept: go on with `lumos run --resume {}`",
                    dir.path().display()
                )),
                Err(error) => error,
            });
        }
        drop(session);
        conclude(&dir, begin, out)
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

    fn open_dir(&self) -> anyhow::Result<(RunDir, HashSet<BlockId>)> {
        match self.resume {
            true => RunDir::resume(&self.dir),
            false => Ok((RunDir::create(&self.dir, &self.text)?, HashSet::new())),
        }
    }

    /// Measures the blocks in their shuffled order; rows are on disk after each.
    fn measure(
        &self,
        plan: &Plan,
        session: &Session,
        verdict: &gate::Verdict,
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
        progress.start(blocks.len() as u64);
        for block in blocks {
            interrupt::check()?;
            progress.block(&block.cell);
            let begin = Instant::now();
            let measured = self.measure_block(session, block);
            let (result, host_cgroup, error) = match measured {
                Ok((result, host_cgroup)) => (result, host_cgroup, None),
                Err(error) => {
                    if error.is::<Interrupted>() {
                        return Err(error);
                    }
                    let empty = BlockResult {
                        samples: vec![],
                        instances: vec![],
                        host: Default::default(),
                    };
                    (empty, None, Some(format!("{error:#}")))
                }
            };
            let mut rows = rows_of(block, result.samples);
            if let Some(expected) = verdict.expected(&block.cell) {
                rows.iter_mut().for_each(|row| check_output(row, &expected.sha256));
            }
            if let Some(error) = &error {
                progress.warn(&format!("{}: {error}", block.cell));
                rows.push(failed_row(block, error));
            }
            let telemetry = BlockTelemetry {
                schema: SCHEMA,
                cell: block.cell.clone(),
                block: block.block,
                order: block.order,
                control: block.control,
                rows: rows.len() as u32,
                wall_ms: begin.elapsed().as_millis() as u64,
                error,
                instances: result.instances,
                host: result.host,
                host_cgroup,
            };
            dir.append(&rows, &telemetry)?;
            progress.done();
        }
        Ok(())
    }

    /// One host in its own cgroup, one cell, one block.
    fn measure_block(
        &self,
        session: &Session,
        block: &Block,
    ) -> anyhow::Result<(BlockResult, Option<lumos_host::cgroup::Counters>)> {
        let prepare = session.prepare(&block.cell)?;
        let unwrap = |error: ClientError| match error {
            ClientError::Interrupted(interrupted) => anyhow::Error::new(interrupted),
            other => anyhow::Error::new(other),
        };
        let mut host = session.start_host(&block.cell.target).map_err(unwrap)?;
        host.prepare(prepare).map_err(unwrap)?;
        let result = host
            .block(block.samples, false, self.scenario.budget, session.sample_bound())
            .map_err(unwrap)?;
        Ok((result, host.counters()))
    }

    fn manifest(
        &self,
        plan: &Plan,
        session: &Session,
        verdict: &gate::Verdict,
    ) -> anyhow::Result<RunManifest> {
        let mut artifacts = Vec::new();
        let mut seen = HashSet::new();
        for cell in plan.runnable() {
            if seen.insert((&cell.function, &cell.target)) {
                if let Ok((_, artifact)) = session.artifact(&cell.function, &cell.target) {
                    artifacts.push(artifact);
                }
            }
        }
        artifacts.sort_by(|a, b| (&a.function, &a.form).cmp(&(&b.function, &b.form)));
        artifacts.dedup();
        let versions = session.hosts.iter().filter_map(|host| host.result.as_ref().ok());
        Ok(RunManifest {
            schema: SCHEMA,
            name: self.scenario.name.clone(),
            started: run_info::utc_now(),
            lumos: env!("CARGO_PKG_VERSION").to_owned(),
            seed: self.scenario.seed,
            cgroup_mode: session.groups.mode().map(|mode| mode.to_string()),
            versions: versions.map(|c| (c.runtime.clone(), c.versions.clone())).collect(),
            report: run_info::collect(&self.scenario, plan, session, verdict, &artifacts),
            artifacts,
            inputs_sha256: session.inputs_sha256.clone(),
            proofs: verdict.proofs.clone(),
            outputs: verdict.outputs.clone(),
            options: self.options.clone(),
            cells: plan.runnable().cloned().collect(),
        })
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

/// A block that could not be measured is a failure of its cell, not a gap in the rows.
fn failed_row(block: &Block, error: &str) -> Row {
    let sample = Sample {
        seq: 0,
        start_kind: block.cell.start,
        outcome: Outcome::Error,
        error: Some(error.to_owned()),
        intended_ns: lumos_host::clock::monotonic_ns(),
        total_ns: 0,
        phases_ns: Default::default(),
        provision_spans: None,
        teardown_ns: None,
        cpu_ns: None,
        memory_peak_bytes: None,
        linear_memory_bytes: None,
        output_bytes: None,
        output_sha256: None,
        output: None,
    };
    rows_of(block, vec![sample]).remove(0)
}

/// Summary and reports, from the rows alone.
fn conclude(dir: &RunDir, begin: Instant, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let (summary, mut info) = crate::commands::report::read(dir.path())?;
    dir.write("summary.json", report::json::render(&summary).as_bytes())?;
    let report_path =
        dir.write("report.md", report::markdown::render(&summary, &info).as_bytes())?;
    info.files = vec![
        format!("run     {}", dir.path().display()),
        format!("report  {}", report_path.display()),
        format!("took    {:.0} s", begin.elapsed().as_secs_f64()),
    ];
    let width = crate::commands::report::width();
    writeln!(out, "{}", report::text::render(&summary, &info, width))?;
    let failed = summary.cells.iter().any(|cell| cell.failed() > 0);
    let all_well = !failed && info.gate_failures.is_empty();
    Ok(if all_well { Ended::Complete } else { Ended::WithFailures })
}
