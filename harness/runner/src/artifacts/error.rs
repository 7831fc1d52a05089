//! Why an artifact cannot be used.

use std::path::PathBuf;

use lumos_model::SCHEMA;
use lumos_model::artifact::Form;

/// Why an artifact cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// There is no manifest.
    #[error("no functions are built: cannot read {}; run ./scripts/build.sh", path.display())]
    NoManifest {
        /// The manifest.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not a manifest.
    #[error("{} is not a manifest of artifacts; run ./scripts/build.sh", path.display())]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The manifest has another schema.
    #[error(
        "{} has schema {schema}, but this lumos reads schema {SCHEMA}: it was built by another \
         version; run ./scripts/build.sh", path.display()
    )]
    Schema {
        /// The manifest.
        path: PathBuf,
        /// Its schema.
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
    /// The file differs from the manifest.
    #[error("the artifact {} is stale ({reason}); run ./scripts/build.sh", path.display())]
    Stale {
        /// The file.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
}
