//! What a run was made of: `manifest.json`. It holds facts; reports put them into words.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::cell::{Cell, Size, Storage, Target};
use crate::fingerprint::Fingerprint;
use crate::protocol::ModeProof;
use crate::warning::Warning;

/// Version of `manifest.json`. Version 1 held the report's texts instead of facts.
pub const MANIFEST_SCHEMA: u32 = 2;

/// `manifest.json`: all that a reader must know to judge the numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunManifest {
    /// Version of the file format.
    pub schema: u32,
    /// The scenario's name.
    pub name: String,
    /// When the run started, UTC.
    pub started: String,
    /// Version of lumos.
    pub lumos: String,
    /// Seed of inputs and order.
    pub seed: u64,
    /// The machine and its settings; absent in runs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// How control groups are mounted; absent: not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup_mode: Option<String>,
    /// Versions of the runtimes, by runtime.
    pub versions: BTreeMap<String, BTreeMap<String, String>>,
    /// The artifacts that were measured, and the modules that AoT code was compiled from.
    pub artifacts: Vec<Artifact>,
    /// Hash of the lock file that all of them were built with; absent in runs of earlier
    /// versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub functions_lock_sha256: Option<String>,
    /// The inputs' hashes, by key.
    pub inputs_sha256: BTreeMap<String, String>,
    /// How each target's mode was shown, by function and target.
    pub proofs: Vec<Proof>,
    /// The outputs that all targets agreed on.
    pub outputs: Vec<Output>,
    /// The recorded arrivals, if the scenario has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// Options of the command that override the scenario.
    pub options: RunOptions,
    /// The cells that could run, in the plan's order.
    pub cells: Vec<Cell>,
    /// The Redis server, if the run used one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<RedisFacts>,
    /// Settings of the targets that ran and that bear on a comparison.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<Target, BTreeMap<String, String>>,
    /// Cells of the scenario that could not run on this machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
    /// What the gate found wrong; these cells were not measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gate_failures: Vec<GateFailure>,
    /// What made the numbers less clean than they could be, as far as it was known when the
    /// run started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// The recorded arrivals of a run, of which its directory has a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// As the scenario names the file.
    pub file: PathBuf,
    /// Its hash.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// What `lumos run` was given beside the scenario; `--resume` uses it again.
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
    /// What was seen.
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
    /// Where input and output are.
    pub storage: Storage,
    /// Hash of the response's body.
    pub sha256: String,
    /// Size of the response's body.
    pub bytes: u64,
    /// Hash of what the function stored, if it stores anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_sha256: Option<String>,
    /// How many targets agreed.
    pub targets: usize,
}

/// The Redis server of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedisFacts {
    /// Its version.
    pub version: String,
    /// Whether `lumos` started it; otherwise the user named it by `--redis-url`.
    pub own: bool,
}

/// A cell that could not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The cell.
    pub cell: Cell,
    /// Why, and what to install.
    pub reason: String,
}

/// What the gate found wrong with an artifact, or with one of its inputs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GateFailure {
    /// The function.
    pub function: String,
    /// The input and where it was; absent: it concerns the artifact as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<(Size, Storage)>,
    /// The target.
    pub target: Target,
    /// What is wrong.
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
