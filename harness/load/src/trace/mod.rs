//! Recorded arrivals, read as a stream. The header says which of two formats a file has.
//!
//! **Times**: a CSV with a column `at_ns`, `at_us`, `at_ms` or `at_s`: how long after the
//! beginning of the recording a request arrived, in order. Other columns are not read; lines
//! that begin with `#` are comments.
//!
//! **Counts by minute**: the format of the Azure Functions 2019 trace (Shahrad et al.,
//! *Serverless in the Wild*, USENIX ATC 2020): the columns `HashOwner`, `HashApp`,
//! `HashFunction`, `Trigger` and one for each minute, `1` to `1440`; one row a function. Only
//! `HashFunction` and the minutes are read. The trace does not say when within a minute
//! requests came, so they are placed independently and uniformly.

mod description;
mod minutes;
mod times;

use std::fs::File;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, Reader, ReaderBuilder};

pub use self::description::{Description, IDLE, KEEP_ALIVE};
pub use self::minutes::{Counts, MinuteTimes};
pub use self::times::TimesReader;
use crate::arrivals::random::{Purpose, Random};

/// A trace that cannot be used, with the place of the mistake.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The file cannot be opened.
    #[error("cannot open the trace {file}: {error}")]
    Open {
        /// Which file.
        file: String,
        /// Why.
        error: std::io::Error,
    },
    /// A line is wrong.
    #[error("{file}:{line}: {what}")]
    Line {
        /// Which file.
        file: String,
        /// Which line, from 1.
        line: u64,
        /// What is wrong and what it should be.
        what: String,
    },
    /// No or several rows are meant.
    #[error("{file}: {what}")]
    Function {
        /// Which file.
        file: String,
        /// What was looked for, and what there is.
        what: String,
    },
}

/// Which of the two formats a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceFormat {
    /// A time for each arrival.
    Times,
    /// A number for each minute, a row for each function.
    Minutes,
}

/// An open trace whose header was understood.
#[derive(Debug)]
pub enum Trace {
    /// A time for each arrival.
    Times(TimesReader),
    /// A number for each minute, a row for each function.
    Minutes(minutes::MinutesReader),
}

impl Trace {
    /// Opens `file` and reads its header.
    ///
    /// # Errors
    /// When it cannot be read or has neither format.
    pub fn open(file: &Path) -> Result<Self, TraceError> {
        let mut lines = Lines::open(file)?;
        let header = lines.csv.byte_headers().cloned().map_err(|e| lines.csv_error(&e))?;
        if let Some(column) = times::Column::find(&header) {
            return Ok(Self::Times(TimesReader::new(lines, column)));
        }
        if let Some(columns) = minutes::Columns::find(&header) {
            return Ok(Self::Minutes(minutes::MinutesReader::new(lines, columns)));
        }
        Err(lines.error(
            1,
            "the header has neither a column at_ns, at_us, at_ms or at_s, nor the columns \
             HashFunction and 1, 2, .. of counts by minute"
                .to_owned(),
        ))
    }

    /// Which format it is.
    pub fn format(&self) -> TraceFormat {
        match self {
            Trace::Times(_) => TraceFormat::Times,
            Trace::Minutes(_) => TraceFormat::Minutes,
        }
    }
}

/// Reads a file of times through, so that a mistake in its last line is found before the
/// first request is sent. [`open`] does the same for counts by minute.
///
/// # Errors
/// The first mistake.
pub fn check(file: &Path) -> Result<(), TraceError> {
    match Trace::open(file)? {
        Trace::Times(mut times) => times.try_for_each(|time| time.map(|_| ())),
        Trace::Minutes(_) => Ok(()),
    }
}

/// The arrivals of `file`, `scale` times as many as were recorded; of counts by minute, those
/// of the function whose hash begins with `function`, or of all rows together. What is
/// fractional about `scale`, and the place within a minute, is drawn from `seed`.
///
/// # Errors
/// When the file cannot be read, or `function` does not name one function.
pub fn open(
    file: &Path,
    function: Option<&str>,
    scale: f64,
    seed: u64,
) -> Result<Recorded, TraceError> {
    let random = Random::new(seed, Purpose::Scale);
    match (Trace::open(file)?, function) {
        (Trace::Times(times), None) => {
            Ok(Recorded::Times { times, scale, random, at_ns: 0, copies: 0 })
        }
        (Trace::Times(times), Some(_)) => Err(TraceError::Function {
            file: times.file(),
            what: "a trace of times has no functions; leave the function out".to_owned(),
        }),
        (Trace::Minutes(minutes), function) => {
            let mut counts = minutes.counts(function)?;
            counts.scale(scale, random);
            Ok(Recorded::Minutes(MinuteTimes::new(counts, seed)))
        }
    }
}

/// Recorded arrivals in nanoseconds from the beginning of the recording, in order.
#[derive(Debug)]
pub enum Recorded {
    /// From a file of times. A scale above 1 repeats an arrival at the same time.
    Times {
        /// What was recorded.
        times: TimesReader,
        /// How many of each.
        scale: f64,
        /// For the fraction of `scale`.
        random: Random,
        /// The arrival at hand.
        at_ns: u64,
        /// How many of it are still to come.
        copies: u64,
    },
    /// From counts by minute.
    Minutes(MinuteTimes),
}

impl Iterator for Recorded {
    type Item = Result<u64, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Recorded::Times { times, scale, random, at_ns, copies } => {
                while *copies == 0 {
                    match times.next()? {
                        Ok(at) => (*at_ns, *copies) = (at, random.round(*scale)),
                        Err(error) => return Some(Err(error)),
                    }
                }
                *copies -= 1;
                Some(Ok(*at_ns))
            }
            Recorded::Minutes(times) => times.next().map(Ok),
        }
    }
}

/// The lines of a CSV, with what an error must say.
#[derive(Debug)]
struct Lines {
    csv: Reader<File>,
    file: PathBuf,
    record: ByteRecord,
}

impl Lines {
    fn open(file: &Path) -> Result<Self, TraceError> {
        // A pipe would be empty the second time.
        let regular = |opened: File| match opened.metadata()?.is_file() {
            true => Ok(opened),
            false => Err(std::io::Error::other(
                "it is no regular file, and a trace is read more than once: save it first",
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

    /// The next line and its number; `None`: there is none.
    fn next(&mut self) -> Result<Option<(u64, &ByteRecord)>, TraceError> {
        match self.csv.read_byte_record(&mut self.record) {
            Ok(true) => {
                let line = self.record.position().map_or(0, csv::Position::line);
                Ok(Some((line, &self.record)))
            }
            Ok(false) => Ok(None),
            Err(error) => Err(self.csv_error(&error)),
        }
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

    fn error(&self, line: u64, what: String) -> TraceError {
        TraceError::Line { file: self.file.display().to_string(), line, what }
    }
}

/// A field as text for an error, cut where it gets long.
fn shown(field: &[u8]) -> String {
    String::from_utf8_lossy(field).chars().take(40).collect()
}
