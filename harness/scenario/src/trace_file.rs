//! Where a scenario's recorded arrivals are.

use std::path::{Path, PathBuf};

use lumos_model::files;

/// The file of recorded arrivals that a scenario in `folder` calls `file`. A run directory has
/// a copy of its own, so that a resumed run uses the arrivals it began with.
pub(crate) fn locate(folder: &Path, file: &Path) -> PathBuf {
    let copy = folder.join(files::TRACE);
    let is_run = folder.join(files::MANIFEST).is_file() && copy.is_file();
    if is_run { copy } else { folder.join(file) }
}
