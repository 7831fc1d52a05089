//! The one way in which whole files of a run directory are written.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::error::RecordError;

/// Writes a file anew. A reader, and a crash, see the old content or the new one.
///
/// # Errors
/// When the file cannot be written, say because the disk is full; the old file is kept then.
pub fn write(path: &Path, content: &[u8]) -> Result<(), RecordError> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written.map_err(|source| RecordError::Write { path: path.to_owned(), source })
}
