//! Functions as built.
//!
//! | module | content |
//! |---|---|
//! | `lookup` | [`Artifacts`]: what a run needs of the functions that were built |
//! | `build` | [`Build`]: collects them, compiles them ahead of time, writes the manifest |
//! | `build_record` | how cargo built them |
//! | `compile` | the ahead-of-time compilers of the hosts |
//! | `digest` | sizes and hashes of files |
//! | `error` | [`ArtifactError`]: why an artifact cannot be used |

mod build;
mod build_record;
mod compile;
mod digest;
mod error;
mod lookup;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use self::build::{Build, Built};
pub(crate) use self::digest::{FileDigest, digest};
pub use self::error::ArtifactError;
pub use self::lookup::Artifacts;
pub(crate) use self::lookup::MANIFEST;

/// The folder `artifacts` in the target folder that holds this executable: `target/artifacts`
/// for `target/release/lumos`.
///
/// # Errors
/// When the executable's path cannot be read.
pub fn default_folder() -> std::io::Result<PathBuf> {
    let lumos = std::env::current_exe()?;
    let target = lumos.parent().and_then(Path::parent).unwrap_or(Path::new("target"));
    Ok(target.join("artifacts"))
}
