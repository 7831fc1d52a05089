//! The facts of a run: `manifest.json`. Reports turn them into text.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::cell::{Cell, Size, Storage, Target};
use crate::fingerprint::{CgroupMode, Fingerprint};
use crate::protocol::ModeProof;
use crate::warning::Warning;

/// Version of `manifest.json`. Version 1 held the report's texts instead of facts.
pub const MANIFEST_SCHEMA: u32 = 2;

/// `manifest.json`: the facts that a reader needs to judge the numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunManifest {
    /// Version of the file format.
    pub schema: u32,
    /// The scenario's name.
    pub name: String,
    /// Start of the run, UTC.
    pub started: String,
    /// Version of lumos.
    pub lumos: String,
    /// Seed of the inputs and of the order of blocks.
    pub seed: u64,
    /// The machine and its settings; absent in runs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// How control groups are mounted; absent if the run did not use them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup_mode: Option<CgroupMode>,
    /// Versions of each runtime's components, by runtime.
    pub versions: BTreeMap<String, BTreeMap<String, String>>,
    /// The measured artifacts, and the modules that AoT code was compiled from.
    pub artifacts: Vec<Artifact>,
    /// Hash of the lock file of the functions; absent in runs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub functions_lock_sha256: Option<String>,
    /// Hashes of the inputs, by key.
    pub inputs_sha256: BTreeMap<String, String>,
    /// The proof of each target's mode, by function and target.
    pub proofs: Vec<Proof>,
    /// The outputs that all targets agreed on.
    pub outputs: Vec<Output>,
    /// The recorded arrivals, if the scenario has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// Command-line options that override the scenario.
    pub options: RunOptions,
    /// The cells that can run, in the order of the plan.
    pub cells: Vec<Cell>,
    /// The Redis server, if the run used one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<RedisFacts>,
    /// Settings, by target, that affect a comparison.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<Target, BTreeMap<String, String>>,
    /// Cells of the scenario that cannot run on this machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
    /// Failures at the gate; the cells concerned were not measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gate_failures: Vec<GateFailure>,
    /// Warnings that were known when the run started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// The recorded arrivals of a run; the run directory holds a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The path of the file in the scenario.
    pub file: PathBuf,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Size of the file.
    pub bytes: u64,
}

/// Options of `lumos run` that override the scenario; `--resume` applies them again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunOptions {
    /// `--filter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// `--repetitions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repetitions: Option<u32>,
}

/// The proof of a mode for one artifact.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proof {
    /// The function.
    pub function: String,
    /// The evidence.
    #[serde(flatten)]
    pub proof: ModeProof,
}

/// An output that all targets agreed on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The function.
    pub function: String,
    /// Size group of the input.
    pub size: Size,
    /// Where input and output are stored.
    pub storage: Storage,
    /// SHA-256 of the response body, in hexadecimal.
    pub sha256: String,
    /// Size of the response body.
    pub bytes: u64,
    /// SHA-256 of the data that the function stored, if it stores any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_sha256: Option<String>,
    /// Number of targets that agreed.
    pub targets: usize,
}

/// The Redis server of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedisFacts {
    /// Its version.
    pub version: String,
    /// Whether `lumos` started the server; otherwise the user named it with `--redis-url`.
    pub own: bool,
}

/// A cell that cannot run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The cell.
    pub cell: Cell,
    /// Why, and what to install.
    pub reason: String,
}

/// A failure at the gate: of an artifact as a whole, or for one of its inputs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GateFailure {
    /// The function.
    pub function: String,
    /// Size and storage of the input; absent if the failure concerns the artifact as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<(Size, Storage)>,
    /// The target.
    pub target: Target,
    /// The cause.
    pub reason: String,
}

impl fmt::Display for GateFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, input, target, reason } = self;
        match input {
            Some((size, storage)) => write!(f, "{function} {size} {storage} {target}: {reason}"),
            None => write!(f, "{function} {target}: {reason}"),
        }
    }
}
