//! Checks that all runtimes share.

use std::path::Path;

use crate::error::HostError;

/// Refuses an artifact that is not there.
///
/// # Errors
/// When `artifact` is not a file.
pub fn check_exists(artifact: &Path) -> Result<(), HostError> {
    if artifact.is_file() {
        return Ok(());
    }
    Err(HostError::artifact(artifact, "no such file; run scripts/build.sh"))
}
