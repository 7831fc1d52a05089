//! Reads `invocations.jsonl` line by line: a run may have a million rows.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use lumos_model::SCHEMA;
use lumos_model::row::Row;

/// The file of a run directory that holds a row for each invocation.
pub const FILE: &str = "invocations.jsonl";

/// Why rows could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// The file cannot be opened or read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is no row, and it is not the last one of a run that was killed.
    #[error("{}:{line} is no row; restore the file or delete the line", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A row has a format that this program does not know.
    #[error("{}:{line} has schema {found}, and this lumos reads up to {SCHEMA}: use the one \
             that wrote it", path.display())]
    Later {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// The row's schema.
        found: u32,
    },
}

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
    /// [`RowsError::Read`] when there are none.
    pub fn open(dir: &Path) -> Result<Self, RowsError> {
        let path = dir.join(FILE);
        match File::open(&path) {
            Ok(file) => Ok(Self::new(BufReader::with_capacity(1 << 18, file), path)),
            Err(source) => Err(RowsError::Read { path, source }),
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

    fn parse(&mut self) -> Option<Result<Row, RowsError>> {
        let (path, line) = (&self.path, self.line);
        match serde_json::from_slice::<Row>(&self.bytes) {
            Ok(row) if row.schema > SCHEMA => {
                Some(Err(RowsError::Later { path: path.clone(), line, found: row.schema }))
            }
            Ok(row) => Some(Ok(row)),
            Err(_) if !self.bytes.ends_with(b"\n") => {
                self.is_cut_short = true;
                None
            }
            Err(source) => Some(Err(RowsError::Corrupt { path: path.clone(), line, source })),
        }
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = Result<Row, RowsError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.bytes.clear();
            self.line += 1;
            match self.reader.read_until(b'\n', &mut self.bytes) {
                Ok(0) => return None,
                Ok(_) if self.bytes.trim_ascii().is_empty() => {}
                Ok(_) => return self.parse(),
                Err(source) => {
                    return Some(Err(RowsError::Read { path: self.path.clone(), source }));
                }
            }
        }
    }
}
