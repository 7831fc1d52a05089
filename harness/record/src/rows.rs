//! Reads `invocations.jsonl`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use lumos_model::files;
use lumos_model::row::Row;

use crate::error::RecordError;
use crate::lines::Lines;

/// The rows of a file, in its order.
#[derive(Debug)]
pub struct Rows<R>(Lines<R>);

impl Rows<BufReader<File>> {
    /// Opens the rows of the run directory `dir`.
    ///
    /// # Errors
    /// [`RecordError::NoRun`] when there are none, [`RecordError::Read`] when the file cannot
    /// be opened.
    pub fn open(dir: &Path) -> Result<Self, RecordError> {
        let no_run = || RecordError::NoRun { dir: dir.to_owned(), missing: files::ROWS };
        Ok(Self(Lines::open(dir.join(files::ROWS))?.ok_or_else(no_run)?))
    }
}

impl<R: BufRead> Rows<R> {
    /// Reads rows from `reader`; errors name `path`.
    pub fn new(reader: R, path: PathBuf) -> Self {
        Self(Lines::new(reader, path))
    }

    /// Whether the last line was incomplete and left out, as when a run is killed while it
    /// writes. Known after the last row.
    pub fn is_cut_short(&self) -> bool {
        self.0.is_cut_short()
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = Result<Row, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next_record().transpose()
    }
}
