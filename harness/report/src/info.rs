//! What a report says besides numbers: where, when and with what a run was made.

use std::collections::BTreeMap;

use lumos_analysis::Analysis;
use lumos_analysis::fairness::Fairness;
use lumos_model::artifact::Artifact;
use lumos_model::fingerprint::Fingerprint;
use lumos_model::manifest::{RedisFacts, Refused, RunManifest};

use crate::{fairness, warnings};

/// The facts of a run in words. Empty fields are not printed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunInfo {
    /// The scenario's name.
    pub title: String,
    /// When the run started.
    pub started: String,
    /// The machine in one line: model, cores, kernel.
    pub machine: String,
    /// Version of the Redis server, when the run used one.
    pub redis: Option<String>,
    /// The artifacts: a line each with size and compiler.
    pub artifacts: Vec<String>,
    /// Settings that affect a comparison, by target.
    pub settings: BTreeMap<String, String>,
    /// Cells of the scenario that could not run on this machine.
    pub refused: Vec<Refused>,
    /// What the gate found wrong, a line each. These cells were not measured.
    pub gate_failures: Vec<String>,
    /// What the run shows of its fairness.
    pub fairness: Fairness,
    /// Reasons to trust the numbers less, a line each.
    pub warnings: Vec<String>,
    /// Where the files are, a line each. The caller fills it in.
    pub files: Vec<String>,
}

impl RunInfo {
    /// The facts of a run. Without a manifest they are few.
    pub fn new(manifest: Option<&RunManifest>, analysis: &Analysis) -> RunInfo {
        let info = manifest.map(of_manifest).unwrap_or_default();
        let mut warnings = fairness::violations(&analysis.fairness);
        warnings.extend(analysis.warnings.iter().map(warnings::words));
        RunInfo { fairness: analysis.fairness.clone(), warnings, ..info }
    }
}

fn of_manifest(manifest: &RunManifest) -> RunInfo {
    let settings = manifest.settings.iter().map(|(target, settings)| {
        let pairs: Vec<String> = settings.iter().map(|(k, v)| format!("{k}: {v}")).collect();
        (target.to_string(), pairs.join("; "))
    });
    RunInfo {
        title: manifest.name.clone(),
        started: manifest.started.clone(),
        machine: manifest.fingerprint.as_ref().map(Fingerprint::line).unwrap_or_default(),
        redis: manifest.redis.as_ref().map(redis_words),
        artifacts: manifest.artifacts.iter().map(artifact).collect(),
        settings: settings.collect(),
        refused: manifest.refused.clone(),
        gate_failures: manifest.gate_failures.iter().map(ToString::to_string).collect(),
        ..RunInfo::default()
    }
}

/// Version and origin of a Redis server.
pub(crate) fn redis_words(redis: &RedisFacts) -> String {
    let origin = if redis.own { "started by lumos" } else { "given by --redis-url" };
    format!("{} ({origin})", redis.version)
}

fn artifact(artifact: &Artifact) -> String {
    let Artifact { function, form, bytes, compiler, compile_ns, .. } = artifact;
    let compiled = compile_ns.map(|ns| format!(", compiled in {:.2} s", ns as f64 / 1e9));
    let compiler = compiler.lines().next().unwrap_or_default();
    format!("{function} {form}: {bytes} bytes, {compiler}{}", compiled.unwrap_or_default())
}
