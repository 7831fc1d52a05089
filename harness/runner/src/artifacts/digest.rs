//! Sizes and hashes of files.

use std::fs::File;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

/// Size and hash of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileDigest {
    pub(crate) bytes: u64,
    /// SHA-256, in hexadecimal.
    pub(crate) sha256: String,
}

/// Reads the file at `path` and hashes it.
pub(crate) fn digest(path: &Path) -> io::Result<FileDigest> {
    let mut hasher = Sha256::new();
    let bytes = io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(FileDigest { bytes, sha256: format!("{:x}", hasher.finalize()) })
}
