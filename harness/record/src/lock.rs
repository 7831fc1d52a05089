//! The lock that keeps two processes from measuring into one run directory.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use lumos_model::files;

use crate::error::RecordError;

/// The lock on a run directory. The kernel releases it with the process, however that ends.
#[derive(Debug)]
pub(crate) struct RunLock {
    // The lock belongs to the open file.
    _file: File,
}

impl RunLock {
    /// Locks the run in `dir`, which must have its scenario already. On a file system without
    /// locks the directory is not protected.
    pub(crate) fn acquire(dir: &Path) -> Result<Self, RecordError> {
        let scenario = dir.join(files::SCENARIO);
        let file = match File::open(&scenario) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(RecordError::NoRun { dir: dir.to_owned(), missing: files::SCENARIO });
            }
            Err(source) => return Err(RecordError::Read { path: scenario, source }),
        };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(RecordError::Locked { dir: dir.to_owned() }),
            Err(TryLockError::Error(_)) | Ok(()) => Ok(Self { _file: file }),
        }
    }
}
