//! What a report says besides numbers: where, when and with what a run was made.

use std::collections::BTreeMap;

use lumos_analysis::Analysis;
use lumos_analysis::fairness::Fairness;
use lumos_model::artifact::Artifact;
use lumos_model::fingerprint::Fingerprint;
use lumos_model::manifest::{RedisFacts, Refused, RunManifest};

use crate::warnings;

/// A run's facts in words. What is empty is not printed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunInfo {
    /// The scenario's name.
    pub title: String,
    /// When the run started, as it is to be shown.
    pub started: String,
    /// The machine in one line: model, cores, kernel.
    pub machine: String,
    /// Version of the Redis server, when the run used one.
    pub redis: Option<String>,
    /// The artifacts: a line each with size and compiler.
    pub artifacts: Vec<String>,
    /// Settings that bear on a comparison, by target.
    pub settings: BTreeMap<String, String>,
    /// Cells of the scenario that could not run here.
    pub refused: Vec<Refused>,
    /// What the gate found wrong, a line each; these cells were not measured.
    pub gate_failures: Vec<String>,
    /// What the run shows of its fairness.
    pub fairness: Fairness,
    /// What makes the numbers less clean than they could be, a line each.
    pub warnings: Vec<String>,
    /// Where things are, a line each; the caller's to fill in.
    pub files: Vec<String>,
}

impl RunInfo {
    /// Puts the facts of a run into words; without a manifest there are few.
    pub fn new(manifest: Option<&RunManifest>, analysis: &Analysis) -> RunInfo {
        let info = manifest.map(of_manifest).unwrap_or_default();
        RunInfo {
            fairness: analysis.fairness.clone(),
            warnings: analysis.warnings.iter().map(warnings::words).collect(),
            ..info
        }
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
        redis: manifest.redis.as_ref().map(redis),
        artifacts: manifest.artifacts.iter().map(artifact).collect(),
        settings: settings.collect(),
        refused: manifest.refused.clone(),
        gate_failures: manifest.gate_failures.iter().map(ToString::to_string).collect(),
        ..RunInfo::default()
    }
}

fn redis(redis: &RedisFacts) -> String {
    let whose = if redis.own { "started by lumos" } else { "given by --redis-url" };
    format!("{} ({whose})", redis.version)
}

fn artifact(artifact: &Artifact) -> String {
    let Artifact { function, form, bytes, compiler, compile_ns, .. } = artifact;
    let compiled = compile_ns.map(|ns| format!(", compiled in {:.2} s", ns as f64 / 1e9));
    let compiler = compiler.lines().next().unwrap_or_default();
    format!("{function} {form}: {bytes} bytes, {compiler}{}", compiled.unwrap_or_default())
}
