//! Built functions, and the manifest that the build writes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The form of an artifact: `native`, `p1` (a wasip1 core module), `p2` (a wasip2
/// component), or the name of the target whose AoT code it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Form(pub String);

impl Form {
    /// The native executable.
    pub const NATIVE: &'static str = "native";
    /// The wasip1 core module (a reactor).
    pub const P1: &'static str = "p1";
    /// The wasip2 component.
    pub const P2: &'static str = "p2";
}

impl From<&str> for Form {
    fn from(form: &str) -> Self {
        Self(form.to_owned())
    }
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// A function built in one form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// The function.
    pub function: String,
    /// The form it was built in.
    pub form: Form,
    /// Its file, relative to the manifest's folder.
    pub path: PathBuf,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// The compiler that wrote the file, with its version.
    pub compiler: String,
    /// Flags it was compiled with.
    pub flags: String,
    /// How long the AoT compiler took; absent for files that rustc wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compile_ns: Option<u64>,
    /// SHA-256 of the file that the AoT compiler read; absent for files that rustc wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_sha256: Option<String>,
}

/// `artifacts.json`: everything that the build made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactManifest {
    /// Version of the file format.
    pub schema: u32,
    /// The Rust compiler of the functions: the output of `rustc -vV`.
    pub compiler: String,
    /// SHA-256 of the functions' lock file.
    pub lock_sha256: String,
    /// The artifacts.
    pub artifacts: Vec<Artifact>,
    /// Forms that could not be built, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing: BTreeMap<String, String>,
}

impl ArtifactManifest {
    /// The artifact of `function` in `form`.
    pub fn find(&self, function: &str, form: &Form) -> Option<&Artifact> {
        self.artifacts.iter().find(|a| a.function == function && a.form == *form)
    }
}
