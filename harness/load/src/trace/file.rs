//! A trace file: which of the two formats it has.

use std::path::Path;

use super::error::TraceError;
use super::lines::Lines;
use super::minutes::{Columns, MinutesReader};
use super::times::{Column, TimesReader};

/// The format of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceFormat {
    /// A time for each arrival.
    Times,
    /// A count for each minute, in one row for each function.
    Minutes,
}

/// An open trace with a valid header.
#[derive(Debug)]
pub struct Trace(pub(super) Reader);

#[derive(Debug)]
pub(super) enum Reader {
    Times(TimesReader),
    Minutes(MinutesReader),
}

impl Trace {
    /// Opens `file` and reads its header.
    ///
    /// # Errors
    /// When it cannot be read or has neither format.
    pub fn open(file: &Path) -> Result<Self, TraceError> {
        let mut lines = Lines::open(file)?;
        let header = lines.header()?;
        if let Some(column) = Column::find(&header) {
            return Ok(Self(Reader::Times(TimesReader::new(lines, column))));
        }
        if let Some(columns) = Columns::find(&header) {
            return Ok(Self(Reader::Minutes(MinutesReader::new(lines, columns))));
        }
        Err(lines.error(
            1,
            "the header has neither a column at_ns, at_us, at_ms or at_s, nor the columns \
             HashFunction and 1, 2, .. of counts by minute"
                .to_owned(),
        ))
    }

    /// The format that its header shows.
    pub fn format(&self) -> TraceFormat {
        match self.0 {
            Reader::Times(_) => TraceFormat::Times,
            Reader::Minutes(_) => TraceFormat::Minutes,
        }
    }
}
