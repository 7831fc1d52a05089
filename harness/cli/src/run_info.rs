//! The facts of a run that its report prints beside numbers.

use std::collections::BTreeMap;

use lumos_model::artifact::Artifact;

use crate::discovery;
use crate::doctor::{self, Machine};
use crate::fairness::Fairness;
use crate::gate::Verdict;
use crate::plan::Plan;
use crate::report::{Refused, RunInfo};
use crate::scenario::Scenario;
use crate::session::Session;

/// Collects them.
pub fn collect(
    scenario: &Scenario,
    plan: &Plan,
    session: &Session,
    verdict: &Verdict,
    artifacts: &[Artifact],
    machine: &Machine,
) -> RunInfo {
    let redis = session.redis.as_ref().map(|redis| {
        let whose = if redis.is_own() { "started by lumos" } else { "given by --redis-url" };
        format!("{} ({whose})", redis.version())
    });
    RunInfo {
        title: scenario.name.clone(),
        started: utc_now(),
        machine: machine.fingerprint.line(),
        redis,
        artifacts: artifacts.iter().map(artifact_line).collect(),
        settings: settings(plan, session),
        refused: plan
            .refused()
            .map(|(cell, reason)| Refused { cell: cell.clone(), reason: reason.to_owned() })
            .collect(),
        gate_failures: verdict.failures.clone(),
        warnings: session.losses.iter().cloned().chain(doctor::cautions(machine)).collect(),
        fairness: Fairness::default(), // read from the run directory by each report
        files: Vec::new(),
    }
}

/// The time as ISO 8601 in UTC.
pub fn utc_now() -> String {
    humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string()
}

fn artifact_line(artifact: &Artifact) -> String {
    let Artifact { function, form, bytes, compiler, compile_ns, .. } = artifact;
    let compiled = compile_ns.map(|ns| format!(", compiled in {:.2} s", ns as f64 / 1e9));
    let compiler = compiler.lines().next().unwrap_or_default();
    format!("{function} {form}: {bytes} bytes, {compiler}{}", compiled.unwrap_or_default())
}

fn settings(plan: &Plan, session: &Session) -> BTreeMap<String, String> {
    let targets: Vec<_> = plan.runnable().map(|cell| &cell.target).collect();
    let capabilities = targets.iter().filter_map(|target| {
        Some((target.to_string(), discovery::capability(&session.hosts, target).ok()?))
    });
    let text = |settings: &BTreeMap<String, String>| {
        let pairs: Vec<String> = settings.iter().map(|(k, v)| format!("{k}: {v}")).collect();
        pairs.join("; ")
    };
    capabilities.map(|(target, capability)| (target, text(&capability.settings))).collect()
}
