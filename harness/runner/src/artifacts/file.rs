//! Files that are written whole or not at all, and their hashes.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Size and hash of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileDigest {
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// Reads the file at `path` and hashes it.
pub(super) fn digest(path: &Path) -> io::Result<FileDigest> {
    let mut hasher = Sha256::new();
    let bytes = io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(FileDigest { bytes, sha256: format!("{:x}", hasher.finalize()) })
}

/// Writes `content` to `path` in one step: a reader sees the old file or the new one.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let aside = aside(path);
    std::fs::write(&aside, content)?;
    std::fs::rename(&aside, path)
}

/// Copies `from` to `to` in one step, with its permissions. A process that still runs the
/// old file keeps it.
pub(super) fn copy_whole(from: &Path, to: &Path) -> io::Result<()> {
    let aside = aside(to);
    std::fs::copy(from, &aside)?;
    std::fs::rename(&aside, to)
}

/// Where a file is written before it takes its name.
pub(super) fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}
