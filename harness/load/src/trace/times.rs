//! A CSV with one line for each arrival.

use std::path::Path;

use csv::ByteRecord;

use super::error::TraceError;
use super::lines::{Lines, excerpt};

/// The column that holds the times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    index: usize,
    name: &'static str,
    unit_ns: u64,
}

/// The finest unit first: it is used if a file has several.
const COLUMNS: [(&str, u64); 4] =
    [("at_ns", 1), ("at_us", 1_000), ("at_ms", 1_000_000), ("at_s", 1_000_000_000)];

impl Column {
    /// `None` if the file has no column of times.
    pub(super) fn find(header: &ByteRecord) -> Option<Self> {
        COLUMNS.iter().find_map(|&(name, unit_ns)| {
            let index = header.iter().position(|field| field == name.as_bytes())?;
            Some(Self { index, name, unit_ns })
        })
    }

    fn parse(self, field: &[u8]) -> Option<u64> {
        let text = std::str::from_utf8(field).ok()?;
        if let Ok(whole) = text.parse::<u64>() {
            return whole.checked_mul(self.unit_ns);
        }
        let ns = text.parse::<f64>().ok()? * self.unit_ns as f64;
        (ns >= 0.0 && ns < u64::MAX as f64).then(|| ns.round() as u64)
    }
}

/// The times of a trace in nanoseconds, in order. Ends after the first error.
#[derive(Debug)]
pub(crate) struct TimesReader {
    lines: Lines,
    column: Column,
    last_ns: u64,
    ended: bool,
}

impl TimesReader {
    pub(super) fn new(lines: Lines, column: Column) -> Self {
        Self { lines, column, last_ns: 0, ended: false }
    }

    pub(super) fn file(&self) -> &Path {
        self.lines.file()
    }

    fn read(&mut self) -> Result<Option<u64>, TraceError> {
        let Column { index, name, .. } = self.column;
        let Some((line, record)) = self.lines.next()? else { return Ok(None) };
        let field = record.get(index).unwrap_or_default();
        let Some(at_ns) = self.column.parse(field) else {
            let what =
                format!("`{}` is not a time; {name} holds numbers from 0 up", excerpt(field));
            return Err(self.lines.error(line, what));
        };
        if at_ns < self.last_ns {
            let what = format!(
                "{name} is {}, which is before the line above; sort the file by time",
                excerpt(field)
            );
            return Err(self.lines.error(line, what));
        }
        self.last_ns = at_ns;
        Ok(Some(at_ns))
    }
}

impl Iterator for TimesReader {
    type Item = Result<u64, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.read().transpose();
        self.ended = !matches!(item, Some(Ok(_)));
        item
    }
}
