//! Files that are replaced as a whole: a reader, or a crash, finds the old content or the new
//! content, never a part of either.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::RecordError;

/// Replaces the file at `path` with `content`, on disk when this returns.
///
/// # Errors
/// [`RecordError::Write`] when the disk is full or read-only. The old file is then unchanged.
pub fn write(path: &Path, content: &[u8]) -> Result<(), RecordError> {
    let replacement = Replacement::of(path);
    File::create(replacement.path())
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| replacement.commit())
        .map_err(|source| RecordError::Write { path: path.to_owned(), source })
}

/// Replaces the file at `to` with a copy of `from`, permissions included.
///
/// # Errors
/// The system's error when `from` cannot be read or `to` cannot be written.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let replacement = Replacement::of(to);
    std::fs::copy(from, replacement.path())?;
    replacement.commit()
}

/// The next content of a file, under a temporary name in the same directory. It is removed
/// when this is dropped without [`commit`](Self::commit).
#[derive(Debug)]
pub struct Replacement {
    target: PathBuf,
    path: PathBuf,
}

impl Replacement {
    /// Names the replacement of the file at `target`; creates nothing.
    pub fn of(target: &Path) -> Self {
        let mut path = target.as_os_str().to_owned();
        path.push(".tmp");
        Self { target: target.to_owned(), path: path.into() }
    }

    /// Where to write the new content.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the new content in the place of the old.
    ///
    /// # Errors
    /// When there is no new content, or the system refuses to rename it.
    pub fn commit(self) -> io::Result<()> {
        std::fs::rename(&self.path, &self.target)
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        // After a commit there is nothing left to remove.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_replaces_the_content_and_leaves_no_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write(&path, b"old and long").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(dir.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_names_the_file_and_keeps_the_old_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write(&path, b"old").unwrap();
        // A directory in the place of the temporary file.
        std::fs::create_dir(Replacement::of(&path).path()).unwrap();
        let error = write(&path, b"new").unwrap_err();
        assert!(matches!(error, RecordError::Write { path: at, .. } if at == path));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn a_replacement_without_a_commit_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let replacement = Replacement::of(&path);
        std::fs::write(replacement.path(), "half").unwrap();
        drop(replacement);
        assert_eq!(dir.path().read_dir().unwrap().count(), 0);
    }
}
