//! Reads a file of JSON lines, one line at a time: a run may have a million rows.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::PathBuf;

use lumos_model::SCHEMA;
use lumos_model::row::Row;
use lumos_model::telemetry::BlockTelemetry;
use serde::de::DeserializeOwned;

use crate::error::RecordError;

/// Bytes that are read from the file at a time.
const BUFFER_BYTES: usize = 1 << 18;

/// What a line of a run's files holds.
pub(crate) trait Record: DeserializeOwned {
    /// Version of the format in which it was written.
    fn schema(&self) -> u32;
}

impl Record for Row {
    fn schema(&self) -> u32 {
        self.schema
    }
}

impl Record for BlockTelemetry {
    fn schema(&self) -> u32 {
        self.schema
    }
}

/// The lines of a file, in its order.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: R,
    path: PathBuf,
    line: Line,
    is_cut_short: bool,
}

/// One line, and where it is.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Number of the line, from 1.
    pub(crate) number: usize,
    /// Bytes of the file before the line.
    pub(crate) offset: u64,
    bytes: Vec<u8>,
}

impl Line {
    /// The line without its line feed.
    pub(crate) fn content(&self) -> &[u8] {
        self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes)
    }

    /// Whether a line feed ends the line. Only the last line of a file can lack it, as when a
    /// run is killed while it writes.
    pub(crate) fn is_terminated(&self) -> bool {
        self.bytes.ends_with(b"\n")
    }
}

impl Lines<BufReader<File>> {
    /// Opens the file at `path`; `None` when there is no such file.
    pub(crate) fn open(path: PathBuf) -> Result<Option<Self>, RecordError> {
        match File::open(&path) {
            Ok(file) => Ok(Some(Self::new(BufReader::with_capacity(BUFFER_BYTES, file), path))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(RecordError::Read { path, source }),
        }
    }
}

impl<R: BufRead> Lines<R> {
    /// Reads lines from `reader`; errors name `path`.
    pub(crate) fn new(reader: R, path: PathBuf) -> Self {
        Self { reader, path, line: Line::default(), is_cut_short: false }
    }

    /// The next line; `None` after the last one.
    pub(crate) fn next_line(&mut self) -> Result<Option<&Line>, RecordError> {
        let line = &mut self.line;
        line.offset += line.bytes.len() as u64;
        line.number += 1;
        line.bytes.clear();
        match self.reader.read_until(b'\n', &mut line.bytes) {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(&self.line)),
            Err(source) => Err(RecordError::Read { path: self.path.clone(), source }),
        }
    }

    /// The record in the next line; `None` after the last one. Blank lines, and a last line
    /// that is incomplete, are left out.
    pub(crate) fn next_record<T: Record>(&mut self) -> Result<Option<T>, RecordError> {
        while let Some(line) = self.next_line()? {
            if line.content().trim_ascii().is_empty() {
                continue;
            }
            let is_terminated = line.is_terminated();
            match serde_json::from_slice::<T>(line.content()) {
                Ok(record) if record.schema() > SCHEMA => return Err(self.later(record.schema())),
                Ok(record) => return Ok(Some(record)),
                Err(_) if !is_terminated => self.is_cut_short = true,
                Err(source) => return Err(self.corrupt(source)),
            }
        }
        Ok(None)
    }

    /// Whether the last line was incomplete and left out. Known after the last record.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.is_cut_short
    }

    fn later(&self, found: u32) -> RecordError {
        let line = Some(self.line.number);
        RecordError::Later { path: self.path.clone(), line, found, known: SCHEMA }
    }

    fn corrupt(&self, source: serde_json::Error) -> RecordError {
        RecordError::CorruptLine { path: self.path.clone(), line: self.line.number, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_know_where_they_are_and_whether_they_are_complete() {
        let mut lines = Lines::new(&b"one\n\ntwo"[..], PathBuf::from("file"));
        let mut seen = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            let content = String::from_utf8(line.content().to_vec()).unwrap();
            seen.push((line.number, line.offset, content, line.is_terminated()));
        }
        let expected = [
            (1, 0, "one".to_owned(), true),
            (2, 4, String::new(), true),
            (3, 5, "two".to_owned(), false),
        ];
        assert_eq!(seen, expected);
    }
}
