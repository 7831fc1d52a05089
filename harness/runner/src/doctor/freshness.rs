//! Whether the built functions are those of the sources.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::facts::Built;
use crate::artifacts::{Artifacts, MANIFEST};

/// Hashes the artifacts in `folder` and looks for sources below `functions` that are newer
/// than their build; elsewhere than in a checkout there are none.
///
/// # Errors
/// Why the artifacts cannot be used.
pub(super) fn read(folder: &Path, functions: &Path) -> Result<Built, String> {
    let artifacts = Artifacts::open(folder).map_err(|error| error.to_string())?;
    let all = &artifacts.manifest().artifacts;
    let damaged = all.iter().filter_map(|artifact| artifacts.verify(artifact).err());
    let built = folder.join(MANIFEST).metadata().and_then(|file| file.modified()).ok();
    Ok(Built {
        artifacts: all.len(),
        damaged: damaged.map(|error| error.to_string()).collect(),
        newer_source: built.and_then(|built| newer(functions, built)),
    })
}

/// A Rust source or manifest below `folder` that changed after `built`.
fn newer(folder: &Path, built: SystemTime) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries.flatten().find_map(|entry| {
        let (path, kind) = (entry.path(), entry.file_type().ok()?);
        if kind.is_dir() {
            // Tests and build results are not in the artifacts.
            let is_other = ["target", "tests", "benches"].iter().any(|other| path.ends_with(other));
            return if is_other { None } else { newer(&path, built) };
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
    fn sources_newer_than_the_build_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let (source, test) = (folder.path().join("noop/src"), folder.path().join("noop/tests"));
        for place in [&source, &test] {
            std::fs::create_dir_all(place).unwrap();
            std::fs::write(place.join("main.rs"), "").unwrap();
        }
        let changed = source.join("main.rs").metadata().unwrap().modified().unwrap();
        let second = Duration::from_secs(1);
        assert_eq!(newer(folder.path(), changed - second), Some(source.join("main.rs")));
        assert_eq!(newer(folder.path(), changed + second), None);
        assert_eq!(newer(&folder.path().join("absent"), changed), None);
        assert!(read(folder.path(), folder.path()).unwrap_err().contains("scripts/build.sh"));
    }
}
