//! The manifest of a run, from its scenario, its plan and its session.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::Context;
use lumos_model::artifact::Artifact;
use lumos_model::cell::Target;
use lumos_model::manifest::{MANIFEST_SCHEMA, Refused, RunManifest, RunOptions, Trace};
use lumos_os::machine::Root;
use lumos_scenario::Scenario;
use lumos_scenario::hosts::capability;
use lumos_scenario::plan::Plan;

use crate::artifacts::{FileDigest, digest};
use crate::doctor::{self, Machine};
use crate::session::Session;

/// The manifest as far as it is known before the gate.
pub(crate) fn before_gate(
    scenario: &Scenario,
    options: &RunOptions,
    plan: &Plan,
    session: &Session,
) -> anyhow::Result<RunManifest> {
    let capabilities = session.hosts.iter().filter_map(|host| host.result.as_ref().ok());
    let refused = |(cell, reason): (&_, &str)| Refused {
        cell: Clone::clone(cell),
        reason: reason.to_owned(),
    };
    let machine = Machine::read(&Root::system());
    Ok(RunManifest {
        schema: MANIFEST_SCHEMA,
        name: scenario.name.clone(),
        started: utc_now(),
        lumos: env!("CARGO_PKG_VERSION").to_owned(),
        seed: scenario.seed,
        cgroup_mode: session.groups.mode(),
        versions: capabilities.map(|can| (can.runtime.clone(), can.versions.clone())).collect(),
        redis: session.storages.redis_facts(),
        settings: settings(plan, session),
        refused: plan.refused().map(refused).collect(),
        warnings: [session.warnings.clone(), doctor::cautions(&machine)].concat(),
        fingerprint: Some(machine.fingerprint),
        artifacts: artifacts(plan, session),
        functions_lock_sha256: Some(session.artifacts.manifest().lock_sha256.clone()),
        inputs_sha256: session.inputs_sha256.clone(),
        proofs: Vec::new(),
        outputs: Vec::new(),
        gate_failures: Vec::new(),
        trace: trace(scenario)?,
        options: options.clone(),
        cells: plan.runnable().cloned().collect(),
    })
}

/// The current time as ISO 8601, UTC.
pub(crate) fn utc_now() -> String {
    humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string()
}

/// The artifacts of the cells that can run, and the modules from which AoT code was compiled.
/// One that cannot be used fails at the gate and is not listed.
fn artifacts(plan: &Plan, session: &Session) -> Vec<Artifact> {
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
    artifacts
}

/// The settings that the hosts state for the targets that run.
fn settings(plan: &Plan, session: &Session) -> BTreeMap<Target, BTreeMap<String, String>> {
    let targets = plan.runnable().map(|cell| &cell.target);
    let settings = targets.filter_map(|target| {
        let capability = capability(&session.hosts, target).ok()?;
        Some((target.clone(), capability.settings.clone()))
    });
    settings.collect()
}

/// The recorded arrivals of the scenario: those that its file names, or the copy in the
/// directory of a run that is continued.
fn trace(scenario: &Scenario) -> anyhow::Result<Option<Trace>> {
    let (Some(load), Some(path)) = (&scenario.load, scenario.trace()) else {
        return Ok(None);
    };
    let FileDigest { bytes, sha256 } =
        digest(&path).with_context(|| format!("read {}", path.display()))?;
    let file = load.trace().map(Path::to_owned).unwrap_or_default();
    Ok(Some(Trace { file, sha256, bytes }))
}
