//! The storage `local`: a folder that lives as long as its session.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::object_store::ObjectStore;

/// A folder of files, removed with its content when dropped.
///
/// It is created where the system keeps temporary files (`TMPDIR`). Nothing is forced to the
/// disk, so reads and writes of functions hit the page cache: runs measure the way to a file,
/// not the disk.
pub(super) struct DataFolder(tempfile::TempDir);

impl DataFolder {
    /// Creates the folder.
    pub(super) fn create() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("lumos-data-").tempdir();
        Ok(Self(folder.context("create a folder for the functions' files (in TMPDIR)")?))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, key: &str) -> PathBuf {
        self.path().join(key)
    }
}

impl ObjectStore for DataFolder {
    fn put(&self, key: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let file = self.file(key);
        std::fs::write(&file, bytes).with_context(|| format!("write {}", file.display()))
    }

    fn get(&self, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let file = self.file(key);
        match std::fs::read(&file) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("read {}", file.display())),
        }
    }

    fn delete(&self, key: &str) -> anyhow::Result<()> {
        let file = self.file(key);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("remove {}", file.display()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_can_be_stored_and_deleted_and_go_with_the_folder() {
        let folder = DataFolder::create().unwrap();
        folder.put("key", b"content").unwrap();
        assert_eq!(folder.get("key").unwrap().as_deref(), Some(&b"content"[..]));
        folder.delete("key").unwrap();
        folder.delete("key").unwrap();
        assert_eq!(folder.get("key").unwrap(), None);
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }
}
