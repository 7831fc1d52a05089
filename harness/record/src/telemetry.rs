//! Reads `telemetry.jsonl` line by line.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Split};
use std::path::{Path, PathBuf};

use lumos_model::files;
use lumos_model::telemetry::BlockTelemetry;

use crate::error::RecordError;

/// The complete blocks of a run, in the order of their measurement. A line that was cut short
/// completes no block and is passed over.
#[derive(Debug)]
pub struct Telemetry {
    path: PathBuf,
    /// `None`: there is no file, since no block was completed.
    lines: Option<Split<BufReader<File>>>,
}

impl Telemetry {
    /// Opens the telemetry of the run in `dir`.
    ///
    /// # Errors
    /// When the file is there and cannot be opened.
    pub(crate) fn open(dir: &Path) -> Result<Self, RecordError> {
        let path = dir.join(files::TELEMETRY);
        let lines = match File::open(&path) {
            Ok(file) => Some(BufReader::new(file).split(b'\n')),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(source) => return Err(RecordError::Read { path, source }),
        };
        Ok(Self { path, lines })
    }
}

impl Iterator for Telemetry {
    type Item = Result<BlockTelemetry, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.lines.as_mut()?.next()? {
                Ok(line) => {
                    if let Ok(block) = serde_json::from_slice(&line) {
                        return Some(Ok(block));
                    }
                }
                Err(source) => {
                    return Some(Err(RecordError::Read { path: self.path.clone(), source }));
                }
            }
        }
    }
}
