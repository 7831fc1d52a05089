//! Functions as built: looked up by a run ([`Artifacts`]), and collected and compiled
//! ahead of time by the build ([`build`]).

pub mod build;
mod compile;
mod file;
mod record;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use lumos_model::SCHEMA;
use lumos_model::artifact::{Artifact, ArtifactManifest, Form};

/// The manifest's file in the folder of artifacts.
pub const MANIFEST: &str = "artifacts.json";

/// Why an artifact cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// There is no manifest.
    #[error("no functions are built: {} cannot be read; run ./scripts/build.sh", path.display())]
    NoManifest {
        /// The manifest.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The manifest is none.
    #[error("{} is no manifest of artifacts; run ./scripts/build.sh", path.display())]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The manifest is of another version.
    #[error(
        "{} has schema {schema} and this lumos reads {SCHEMA}: it was built by another lumos; \
         run ./scripts/build.sh", path.display()
    )]
    Schema {
        /// The manifest.
        path: PathBuf,
        /// Its version.
        schema: u64,
    },
    /// The form was not built.
    #[error("{function} has no {form} artifact: {reason}")]
    Missing {
        /// The function.
        function: String,
        /// The form.
        form: Form,
        /// Why, and what to do.
        reason: String,
    },
    /// The file is not what the manifest says.
    #[error("the artifact {} is stale ({reason}); run ./scripts/build.sh", path.display())]
    Stale {
        /// The file.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
}

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
    /// When there is none, or one of another version.
    pub fn open(folder: &Path) -> Result<Self, ArtifactError> {
        let path = folder.join(MANIFEST);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(ArtifactError::NoManifest { path, source }),
        };
        let manifest = read_manifest(&text, path)?;
        // An absolute path, since hosts may run in another folder.
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
    /// When it was not built, with the build's reason.
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

    /// The module that AoT code was compiled from.
    pub fn source(&self, artifact: &Artifact) -> Option<&Artifact> {
        let sha256 = artifact.source_sha256.as_ref()?;
        let mut all = self.manifest.artifacts.iter();
        all.find(|other| other.function == artifact.function && other.sha256 == *sha256)
    }

    /// Where the artifact's file is, as an absolute path; not checked.
    pub fn path(&self, artifact: &Artifact) -> PathBuf {
        self.folder.join(&artifact.path)
    }

    /// Checks that the artifact's file has the size and hash of the manifest, and returns
    /// its path.
    ///
    /// # Errors
    /// When it has not: somebody touched it after the build.
    pub fn verify(&self, artifact: &Artifact) -> Result<PathBuf, ArtifactError> {
        let path = self.path(artifact);
        let reason = match file::digest(&path) {
            Err(error) => format!("it cannot be read: {error}"),
            Ok(found) if found.bytes != artifact.bytes => {
                format!("it has {} bytes instead of {}", found.bytes, artifact.bytes)
            }
            Ok(found) if found.sha256 != artifact.sha256 => {
                "its SHA-256 is another than at the build".to_owned()
            }
            Ok(_) => return Ok(path),
        };
        Err(ArtifactError::Stale { path, reason })
    }
}

/// The folder `artifacts` in the target folder that holds this executable.
///
/// # Errors
/// When the executable's path cannot be read.
pub fn default_folder() -> std::io::Result<PathBuf> {
    Ok(target_folder()?.join("artifacts"))
}

/// The target folder that holds this executable: `target` for `target/release/lumos`.
fn target_folder() -> std::io::Result<PathBuf> {
    let lumos = std::env::current_exe()?;
    Ok(lumos.parent().and_then(Path::parent).unwrap_or(Path::new("target")).to_owned())
}

/// How [`ArtifactManifest::missing`] calls a form of a function.
fn missing_key(function: &str, form: &Form) -> String {
    format!("{function}/{form}")
}

fn read_manifest(text: &str, path: PathBuf) -> Result<ArtifactManifest, ArtifactError> {
    // Another version may have other fields, so its number is looked at first.
    let value: serde_json::Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(source) => return Err(ArtifactError::BadManifest { path, source }),
    };
    match value.get("schema").and_then(serde_json::Value::as_u64) {
        Some(schema) if schema != u64::from(SCHEMA) => Err(ArtifactError::Schema { path, schema }),
        _ => serde_json::from_value(value)
            .map_err(|source| ArtifactError::BadManifest { path, source }),
    }
}
