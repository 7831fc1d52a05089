//! Finds the functions that were built.

use std::path::{Path, PathBuf};

use lumos_model::SCHEMA;
use lumos_model::artifact::{Artifact, ArtifactManifest, Form};

use super::digest::digest;
use super::error::ArtifactError;

/// Name of the manifest in the folder of artifacts.
pub(crate) const MANIFEST: &str = "artifacts.json";

/// The artifacts of a folder.
#[derive(Clone, Debug)]
pub struct Artifacts {
    folder: PathBuf,
    manifest: ArtifactManifest,
}

impl Artifacts {
    /// Reads the manifest in `folder`.
    ///
    /// # Errors
    /// When there is none, it is damaged, or it has another schema.
    pub fn open(folder: &Path) -> Result<Self, ArtifactError> {
        let manifest = read_manifest(folder.join(MANIFEST))?;
        // An absolute path, because hosts may run in another folder.
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        Ok(Self { folder, manifest })
    }

    /// The manifest.
    pub fn manifest(&self) -> &ArtifactManifest {
        &self.manifest
    }

    /// The artifact of `function` in `form`.
    ///
    /// # Errors
    /// [`ArtifactError::Missing`] with the build's reason when it was not built.
    pub fn find(&self, function: &str, form: &Form) -> Result<&Artifact, ArtifactError> {
        self.manifest.find(function, form).ok_or_else(|| ArtifactError::Missing {
            function: function.to_owned(),
            form: form.clone(),
            reason: match self.manifest.missing.get(&missing_key(function, form)) {
                Some(reason) => reason.clone(),
                None => "it was not built; run ./scripts/build.sh".to_owned(),
            },
        })
    }

    /// Whether any form of `function` was built.
    pub fn has(&self, function: &str) -> bool {
        self.manifest.artifacts.iter().any(|artifact| artifact.function == function)
    }

    /// The module from which AoT code was compiled.
    pub fn source(&self, artifact: &Artifact) -> Option<&Artifact> {
        let sha256 = artifact.source_sha256.as_ref()?;
        let mut all = self.manifest.artifacts.iter();
        all.find(|other| other.function == artifact.function && other.sha256 == *sha256)
    }

    /// Checks that the artifact's file has the size and hash of the manifest. Returns its
    /// absolute path.
    ///
    /// # Errors
    /// [`ArtifactError::Stale`] when the file changed after the build.
    pub fn verify(&self, artifact: &Artifact) -> Result<PathBuf, ArtifactError> {
        let path = self.path(artifact);
        let reason = match digest(&path) {
            Err(error) => format!("it cannot be read: {error}"),
            Ok(found) if found.bytes != artifact.bytes => {
                format!("it has {} bytes instead of {}", found.bytes, artifact.bytes)
            }
            Ok(found) if found.sha256 != artifact.sha256 => {
                "its SHA-256 differs from that of the build".to_owned()
            }
            Ok(_) => return Ok(path),
        };
        Err(ArtifactError::Stale { path, reason })
    }

    /// The absolute path of the artifact's file, which is not checked.
    pub(super) fn path(&self, artifact: &Artifact) -> PathBuf {
        self.folder.join(&artifact.path)
    }
}

/// The key of a form of a function in [`ArtifactManifest::missing`].
pub(super) fn missing_key(function: &str, form: &Form) -> String {
    format!("{function}/{form}")
}

fn read_manifest(path: PathBuf) -> Result<ArtifactManifest, ArtifactError> {
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(ArtifactError::NoManifest { path, source }),
    };
    // Another version may have other fields, so its number is read before them.
    let value: serde_json::Value = match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(source) => return Err(ArtifactError::BadManifest { path, source }),
    };
    match value.get("schema").and_then(serde_json::Value::as_u64) {
        Some(schema) if schema != u64::from(SCHEMA) => Err(ArtifactError::Schema { path, schema }),
        _ => serde_json::from_value(value)
            .map_err(|source| ArtifactError::BadManifest { path, source }),
    }
}
