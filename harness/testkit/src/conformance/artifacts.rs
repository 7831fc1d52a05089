//! The artifacts of the last build.

use std::path::{Path, PathBuf};

use lumos_model::artifact::{ArtifactManifest, Form};

/// Environment variable with the folder of the artifacts, the same as for `lumos`.
const FOLDER: &str = "LUMOS_ARTIFACTS";

/// The file of `function` in `form`.
///
/// # Panics
/// When it was not built, because a test that cannot run has not passed.
pub fn find(function: &str, form: &Form) -> PathBuf {
    let folder = folder();
    let path = folder.join("artifacts.json");
    let text = std::fs::read(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; run scripts/build.sh", path.display()));
    let manifest: ArtifactManifest = serde_json::from_slice(&text)
        .unwrap_or_else(|e| panic!("{}: {e}; run scripts/build.sh", path.display()));
    let artifact = manifest.find(function, form).unwrap_or_else(|| {
        let reason = manifest.missing.get(&form.0).map_or("not built", String::as_str);
        panic!("{function} as {form}: {reason}; run scripts/build.sh")
    });
    let file = folder.join(&artifact.path);
    assert!(file.is_file(), "{} is gone; run scripts/build.sh", file.display());
    file
}

/// `target/artifacts` of this workspace, unless the environment names another folder.
fn folder() -> PathBuf {
    std::env::var_os(FOLDER).map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/artifacts"),
        PathBuf::from,
    )
}
