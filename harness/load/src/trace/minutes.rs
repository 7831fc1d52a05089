//! Counts by minute, a row a function.

use csv::ByteRecord;

use super::{Lines, TraceError, shown};
use crate::arrivals::random::{Purpose, Random};
use crate::clock::SECOND;

/// How many functions an error names at most.
const SHOWN: usize = 10;

/// Where in a row things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    function: usize,
    minutes: std::ops::Range<usize>,
}

impl Columns {
    /// `None`: there is no `HashFunction`, or no minute `1`.
    pub(super) fn find(header: &ByteRecord) -> Option<Self> {
        let function = header.iter().position(|field| field == b"HashFunction")?;
        let first = header.iter().position(|field| field == b"1")?;
        let minutes = header
            .iter()
            .skip(first)
            .zip(1u32..)
            .take_while(|(field, minute)| *field == minute.to_string().as_bytes())
            .count();
        Some(Self { function, minutes: first..first + minutes })
    }
}

/// The rows of a trace.
#[derive(Debug)]
pub struct MinutesReader {
    lines: Lines,
    columns: Columns,
}

impl MinutesReader {
    pub(super) fn new(lines: Lines, columns: Columns) -> Self {
        Self { lines, columns }
    }

    /// Reads all rows and adds up those of the function whose hash begins with `function`,
    /// or all.
    ///
    /// # Errors
    /// When a line is wrong, or `function` is the beginning of no or of several hashes.
    pub fn counts(mut self, function: Option<&str>) -> Result<Counts, TraceError> {
        let mut counts = vec![0; self.columns.minutes.len()];
        let mut rows = 0;
        let mut matched: Vec<String> = Vec::new();
        let mut others = 0usize;
        while let Some((line, record)) = self.lines.next()? {
            let hash = record.get(self.columns.function).unwrap_or_default();
            if let Some(prefix) = function {
                if !hash.starts_with(prefix.as_bytes()) {
                    continue;
                }
                let hash = String::from_utf8_lossy(hash);
                if !matched.iter().any(|known| *known == hash) {
                    if matched.len() < SHOWN {
                        matched.push(hash.into_owned());
                    } else {
                        others += 1;
                    }
                }
            }
            rows += 1;
            if let Err(what) = add(&mut counts, record, &self.columns) {
                return Err(self.lines.error(line, what));
            }
        }
        match (function, &matched[..]) {
            (None, _) | (Some(_), [_]) => Ok(Counts { minutes: counts, rows }),
            (Some(prefix), []) => Err(self.function_error(format!(
                "no row has a HashFunction that begins with \
                    `{prefix}`"
            ))),
            (Some(prefix), several) => {
                let more = if others > 0 { ", .." } else { "" };
                Err(self.function_error(format!(
                    "`{prefix}` is the beginning of several functions; write more of one: {}{more}",
                    several.join(", ")
                )))
            }
        }
    }

    fn function_error(&self, what: String) -> TraceError {
        TraceError::Function { file: self.lines.file.display().to_string(), what }
    }
}

fn add(counts: &mut [u64], record: &ByteRecord, columns: &Columns) -> Result<(), String> {
    for (minute, index) in columns.minutes.clone().enumerate() {
        let field = record.get(index).unwrap_or_default();
        let count = std::str::from_utf8(field).ok().and_then(|text| text.parse::<u64>().ok());
        let sum = count.and_then(|count| counts[minute].checked_add(count));
        counts[minute] = sum.ok_or_else(|| {
            let field = shown(field);
            format!("`{field}` in column {} is no number of requests", minute + 1)
        })?;
    }
    Ok(())
}

/// How many requests arrived in each minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// From the first minute on.
    pub minutes: Vec<u64>,
    /// Rows that were added up.
    pub rows: u64,
}

impl Counts {
    /// Multiplies each count; what is fractional about a product becomes one request more
    /// with that probability.
    pub(super) fn scale(&mut self, scale: f64, mut random: Random) {
        if scale != 1.0 {
            for count in &mut self.minutes {
                *count = random.round(*count as f64 * scale);
            }
        }
    }
}

/// The arrivals of [`Counts`] in nanoseconds from the beginning: within each minute
/// independent and uniform. They are drawn in order, the smallest of those that are left
/// first, so that none need be kept (Devroye, *Non-Uniform Random Variate Generation*, 1986,
/// section V.3).
#[derive(Debug)]
pub struct MinuteTimes {
    counts: std::iter::Enumerate<std::vec::IntoIter<u64>>,
    minute_ns: u64,
    left: u64,
    /// The share of the minute that is still to come.
    rest: f64,
    random: Random,
}

const MINUTE: u64 = 60 * SECOND;

impl MinuteTimes {
    pub(super) fn new(counts: Counts, seed: u64) -> Self {
        Self {
            counts: counts.minutes.into_iter().enumerate(),
            minute_ns: 0,
            left: 0,
            rest: 0.0,
            random: Random::new(seed, Purpose::Arrivals),
        }
    }
}

impl Iterator for MinuteTimes {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        while self.left == 0 {
            let (minute, count) = self.counts.next()?;
            (self.minute_ns, self.left, self.rest) = (minute as u64 * MINUTE, count, 1.0);
        }
        // The least of n uniforms is 1 - v^(1/n).
        self.rest *= libm::exp(-self.random.exponential() / self.left as f64);
        self.left -= 1;
        let into_minute = ((1.0 - self.rest) * MINUTE as f64) as u64;
        Some(self.minute_ns + into_minute.min(MINUTE - 1))
    }
}
