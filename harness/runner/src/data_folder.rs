//! The functions' files: a folder that lives as long as its session.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use lumos_inputs::InputFile;

/// A folder for the storage `local`, removed with its content when dropped.
///
/// It is where the system keeps temporary files (`TMPDIR`). Nothing is forced to the
/// disk, so what functions read and write is in the page cache: the way to a file is
/// measured, and not the disk.
pub struct DataFolder(tempfile::TempDir);

impl DataFolder {
    /// Makes the folder.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn make() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("lumos-data-").tempdir();
        Ok(Self(folder.context("a folder for the functions' files (TMPDIR says where)")?))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes an input under its key.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn seed(&self, input: &InputFile) -> anyhow::Result<()> {
        let file = self.file(&input.key);
        std::fs::write(&file, &input.bytes).with_context(|| format!("write {}", file.display()))
    }

    /// Removes what is under `key`.
    ///
    /// # Errors
    /// When it is there and stays.
    pub fn forget(&self, key: &str) -> anyhow::Result<()> {
        let file = self.file(key);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("remove {}", file.display()))
            }
            _ => Ok(()),
        }
    }

    /// What is under `key`.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn get(&self, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let file = self.file(key);
        match std::fs::read(&file) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("read {}", file.display())),
        }
    }

    fn file(&self, key: &str) -> PathBuf {
        self.path().join(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_and_go_with_the_folder() {
        let folder = DataFolder::make().unwrap();
        let input = lumos_inputs::input("fuzzy-search", lumos_inputs::Size::Tiny, 1);
        let input = input.unwrap().expect("it reads a text");
        folder.seed(&input).unwrap();
        assert_eq!(folder.get(&input.key).unwrap(), Some(input.bytes));
        folder.forget(&input.key).unwrap();
        folder.forget(&input.key).unwrap();
        assert_eq!(folder.get(&input.key).unwrap(), None);
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }
}
