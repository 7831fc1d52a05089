//! The main path: from a scenario to rows and a report. Read [`Experiment::execute`] from top
//! to bottom.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, bail};
use lumos_model::cell::{Cell, Target};
use lumos_model::files;
use lumos_model::hex::hex;
use lumos_model::manifest::{MANIFEST_SCHEMA, Refused, RunManifest, RunOptions, Trace};
use lumos_model::row::{BlockId, Outcome, Row, Sample};
use lumos_os::machine::{Probe, Root};
use lumos_record::{RunWriter, read_manifest};
use lumos_scenario::Scenario;
use lumos_scenario::hosts::{self, Host};
use lumos_scenario::plan::{Block, Plan};
use lumos_scenario::selector::Selector;
use sha2::{Digest, Sha256};

use crate::artifacts::Artifacts;
use crate::block::load::Period;
use crate::block::{self, Terms};
use crate::discovery;
use crate::doctor::{self, Machine};
use crate::gate::{self, Verdict};
use crate::interrupt;
use crate::observer::Observer;
use crate::redis_server::RedisServer;
use crate::session::{Session, Settings};

/// What a run is started with.
#[derive(Debug)]
pub struct Experiment {
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

impl Experiment {
    /// Measures what the scenario describes, and tells `observer` how far it is.
    ///
    /// # Errors
    /// When nothing can be measured, the disk is full, or the user interrupts; rows that
    /// were written stay.
    pub fn execute(&self, observer: &dyn Observer) -> anyhow::Result<()> {
        let hosts = discovery::discover().context("look for hosts beside lumos")?;
        let plan = self.plan(&hosts)?;
        interrupt::install()?;
        let mut session =
            Session::new(hosts, self.artifacts.clone(), Settings::from(&self.scenario));
        session.provide(plan.runnable(), self.redis_url.as_deref())?;
        let manifest = self.manifest(&plan, &session, &Verdict::default())?;
        let (mut dir, done) = self.open_dir(manifest)?;
        self.measure(&plan, session, &done, &mut dir, observer)
    }

    /// The gate, then the blocks.
    fn measure(
        &self,
        plan: &Plan,
        session: Session,
        done: &HashSet<BlockId>,
        dir: &mut RunWriter,
        observer: &dyn Observer,
    ) -> anyhow::Result<()> {
        if plan.blocks.iter().all(|block| done.contains(&block.id())) {
            // The run is complete; to prove its modes once more would change what it says.
            return Ok(());
        }
        let cells: Vec<Cell> = plan.runnable().cloned().collect();
        observer.stage(&format!("gate: {} cells, one invocation of each artifact", cells.len()));
        let session = Mutex::new(session);
        let verdict = gate::run(&session, &cells, &|what| observer.note(what))?;
        let session = session.into_inner().unwrap_or_else(|e| e.into_inner());
        for failure in &verdict.failures {
            observer.warn(&failure.to_string());
        }
        let mut manifest = self.manifest(plan, &session, &verdict)?;
        manifest.started = read_manifest(dir.dir())?.started;
        dir.write_manifest(&manifest)?;

        let measured = self.measure_blocks(plan, &session, &verdict, done, dir, observer);
        observer.finish();
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

    fn open_dir(&self, manifest: RunManifest) -> anyhow::Result<(RunWriter, HashSet<BlockId>)> {
        if !self.resume {
            let trace = self.scenario.trace();
            let dir = RunWriter::create(&self.dir, &self.text, trace.as_deref(), &manifest)?;
            return Ok((dir, HashSet::new()));
        }
        let begun = read_manifest(&self.dir)?;
        if begun.trace != manifest.trace {
            bail!(
                "{} is not what the run began with: restore it, or start a new run",
                self.dir.join(files::TRACE).display()
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
        Ok(RunWriter::resume(&self.dir)?)
    }

    /// Measures the blocks in their shuffled order; rows are on disk after each.
    fn measure_blocks(
        &self,
        plan: &Plan,
        session: &Session,
        verdict: &Verdict,
        done: &HashSet<BlockId>,
        dir: &mut RunWriter,
        observer: &dyn Observer,
    ) -> anyhow::Result<()> {
        let blocks: Vec<&Block> = plan
            .blocks
            .iter()
            .filter(|block| verdict.admits(&block.cell) && !done.contains(&block.id()))
            .collect();
        let probe = Probe::new(Root::system());
        let trace = self.scenario.trace().map(|_| dir.dir().join(files::TRACE));
        let trace = trace.map(std::path::absolute).transpose().context("the run directory")?;
        let load = self.scenario.load.as_ref().map(|settings| Period {
            settings,
            trace: trace.as_deref(),
            seed: self.scenario.seed,
        });
        let terms = Terms { budget: self.scenario.budget, load };
        observer.start(blocks.len() as u64);
        for block in blocks {
            interrupt::check()?;
            observer.block(&block.cell);
            let warn = |what: &str| observer.warn(what);
            let mut measured = block::measure(session, block, &terms, &probe, warn)?;
            if let Some(expected) = verdict.expected(&block.cell) {
                measured.rows.iter_mut().for_each(|row| check_output(row, &expected.sha256));
            }
            dir.append(&measured.rows, &measured.telemetry)?;
            observer.done();
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
            schema: MANIFEST_SCHEMA,
            name: self.scenario.name.clone(),
            started: utc_now(),
            lumos: env!("CARGO_PKG_VERSION").to_owned(),
            seed: self.scenario.seed,
            cgroup_mode: session.groups.mode().map(|mode| mode.to_string()),
            versions: versions.map(|c| (c.runtime.clone(), c.versions.clone())).collect(),
            redis: session.redis.as_ref().map(RedisServer::facts),
            settings: settings(plan, session),
            refused: plan
                .refused()
                .map(|(cell, reason)| Refused { cell: cell.clone(), reason: reason.to_owned() })
                .collect(),
            gate_failures: verdict.failures.clone(),
            warnings: [session.losses.clone(), doctor::cautions(&machine)].concat(),
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

/// An output that differs from the gate's is no result.
fn check_output(row: &mut Row, expected_sha256: &str) {
    let Sample { outcome, output_sha256, error, .. } = &mut row.sample;
    if *outcome == Outcome::Ok && output_sha256.as_deref() != Some(expected_sha256) {
        *outcome = Outcome::Error;
        *error = Some("the output differs from the one that the gate saw".to_owned());
    }
}

/// The time as ISO 8601 in UTC.
pub fn utc_now() -> String {
    humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string()
}

/// What the targets that run say of their settings.
fn settings(plan: &Plan, session: &Session) -> BTreeMap<Target, BTreeMap<String, String>> {
    let targets = plan.runnable().map(|cell| &cell.target);
    let settings = targets.filter_map(|target| {
        let capability = hosts::capability(&session.hosts, target).ok()?;
        Some((target.clone(), capability.settings.clone()))
    });
    settings.collect()
}
