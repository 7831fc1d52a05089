//! Whether the functions were built from the present sources.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::artifacts::{Artifacts, MANIFEST};

/// Folders below a function that are not part of its artifacts.
const OTHER_FOLDERS: [&str; 3] = ["target", "tests", "benches"];

/// The functions as built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// Number of artifacts.
    pub artifacts: usize,
    /// For each artifact that changed after the build, what changed.
    pub damaged: Vec<String>,
    /// A source that changed after the build.
    pub newer_source: Option<PathBuf>,
}

impl Built {
    /// Hashes the artifacts in `folder`, and searches `functions` for sources that are newer
    /// than the build. Outside of a checkout there are no sources.
    ///
    /// # Errors
    /// Why the artifacts cannot be used.
    pub(super) fn read(folder: &Path, functions: &Path) -> Result<Self, String> {
        let artifacts = Artifacts::open(folder).map_err(|error| error.to_string())?;
        let all = &artifacts.manifest().artifacts;
        let damaged = all.iter().filter_map(|artifact| artifacts.verify(artifact).err());
        let built = folder.join(MANIFEST).metadata().and_then(|file| file.modified()).ok();
        Ok(Self {
            artifacts: all.len(),
            damaged: damaged.map(|error| error.to_string()).collect(),
            newer_source: built.and_then(|built| newer_source(functions, built)),
        })
    }
}

/// A Rust source or manifest below `folder` that changed after `built`.
fn newer_source(folder: &Path, built: SystemTime) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries.flatten().find_map(|entry| {
        let (path, kind) = (entry.path(), entry.file_type().ok()?);
        if kind.is_dir() {
            let is_other = OTHER_FOLDERS.iter().any(|other| path.ends_with(other));
            return if is_other { None } else { newer_source(&path, built) };
        }
        let is_source = path.extension().is_some_and(|kind| kind == "rs" || kind == "toml");
        let changed = entry.metadata().and_then(|file| file.modified()).ok()?;
        (is_source && changed > built).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_source_newer_than_the_build_is_found_and_a_test_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (source, test) = (folder.path().join("noop/src"), folder.path().join("noop/tests"));
        for dir in [&source, &test] {
            std::fs::create_dir_all(dir).unwrap();
            std::fs::write(dir.join("main.rs"), "").unwrap();
        }
        let changed = source.join("main.rs").metadata().unwrap().modified().unwrap();
        let second = Duration::from_secs(1);
        assert_eq!(newer_source(folder.path(), changed - second), Some(source.join("main.rs")));
        assert_eq!(newer_source(folder.path(), changed + second), None);
        assert_eq!(newer_source(&folder.path().join("absent"), changed), None);
        let error = Built::read(folder.path(), folder.path()).unwrap_err();
        assert!(error.contains("scripts/build.sh"), "{error}");
    }
}
