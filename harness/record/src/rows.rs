//! Reads `invocations.jsonl` line by line: a run may have a million rows.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use lumos_model::SCHEMA;
use lumos_model::files;
use lumos_model::row::Row;

use crate::error::RecordError;

/// The rows of a file, in its order.
#[derive(Debug)]
pub struct Rows<R> {
    reader: R,
    path: PathBuf,
    line: usize,
    bytes: Vec<u8>,
    is_cut_short: bool,
}

impl Rows<BufReader<File>> {
    /// Opens the rows of the run directory `dir`.
    ///
    /// # Errors
    /// [`RecordError::Read`] when there are none.
    pub fn open(dir: &Path) -> Result<Self, RecordError> {
        let path = dir.join(files::ROWS);
        match File::open(&path) {
            Ok(file) => Ok(Self::new(BufReader::with_capacity(1 << 18, file), path)),
            Err(source) => Err(RecordError::Read { path, source }),
        }
    }
}

impl<R: BufRead> Rows<R> {
    /// Reads rows from `reader`; errors name `path`.
    pub fn new(reader: R, path: PathBuf) -> Self {
        Self { reader, path, line: 0, bytes: Vec::new(), is_cut_short: false }
    }

    /// Whether the last line was cut short and left out, as when a run is killed while
    /// it writes.
    pub fn is_cut_short(&self) -> bool {
        self.is_cut_short
    }

    fn parse(&mut self) -> Option<Result<Row, RecordError>> {
        let (path, line) = (&self.path, self.line);
        match serde_json::from_slice::<Row>(&self.bytes) {
            Ok(row) if row.schema > SCHEMA => Some(Err(RecordError::Later {
                path: path.clone(),
                line: Some(line),
                found: row.schema,
                known: SCHEMA,
            })),
            Ok(row) => Some(Ok(row)),
            Err(_) if !self.bytes.ends_with(b"\n") => {
                self.is_cut_short = true;
                None
            }
            Err(source) => Some(Err(RecordError::CorruptRow { path: path.clone(), line, source })),
        }
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = Result<Row, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.bytes.clear();
            self.line += 1;
            match self.reader.read_until(b'\n', &mut self.bytes) {
                Ok(0) => return None,
                Ok(_) if self.bytes.trim_ascii().is_empty() => {}
                Ok(_) => return self.parse(),
                Err(source) => {
                    return Some(Err(RecordError::Read { path: self.path.clone(), source }));
                }
            }
        }
    }
}
