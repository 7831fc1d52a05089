//! The lines of a CSV file, with their numbers for error messages.

use std::fs::File;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::error::TraceError;

/// Characters of a field that an error message quotes.
const QUOTED: usize = 40;

/// An open CSV file.
#[derive(Debug)]
pub(super) struct Lines {
    csv: Reader<File>,
    file: PathBuf,
    record: ByteRecord,
}

impl Lines {
    pub(super) fn open(file: &Path) -> Result<Self, TraceError> {
        // A pipe would be empty the second time.
        let regular = |opened: File| match opened.metadata()?.is_file() {
            true => Ok(opened),
            false => Err(std::io::Error::other(
                "it is not a regular file, and a trace is read more than once: save it to a file \
                 first",
            )),
        };
        let opened = File::open(file).and_then(regular);
        let opened =
            opened.map_err(|error| TraceError::Open { file: file.display().to_string(), error })?;
        let csv = ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .buffer_capacity(1 << 16)
            .from_reader(opened);
        Ok(Self { csv, file: file.to_owned(), record: ByteRecord::new() })
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn header(&mut self) -> Result<ByteRecord, TraceError> {
        self.csv.byte_headers().cloned().map_err(|error| self.csv_error(&error))
    }

    /// The next line and its number; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &ByteRecord)>, TraceError> {
        match self.csv.read_byte_record(&mut self.record) {
            Ok(true) => {
                let line = self.record.position().map_or(0, csv::Position::line);
                Ok(Some((line, &self.record)))
            }
            Ok(false) => Ok(None),
            Err(error) => Err(self.csv_error(&error)),
        }
    }

    pub(super) fn error(&self, line: u64, what: String) -> TraceError {
        TraceError::Line { file: self.file.display().to_string(), line, what }
    }

    fn csv_error(&self, error: &csv::Error) -> TraceError {
        let line = error.position().map_or(0, csv::Position::line);
        let what = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("{len} columns where the header has {expected_len}")
            }
            csv::ErrorKind::Io(error) => format!("cannot be read: {error}"),
            _ => error.to_string(),
        };
        self.error(line, what)
    }
}

/// The beginning of a field, for an error message.
pub(super) fn excerpt(field: &[u8]) -> String {
    String::from_utf8_lossy(field).chars().take(QUOTED).collect()
}
