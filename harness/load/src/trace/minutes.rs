//! A CSV with one row for each function and a count for each minute.

use csv::ByteRecord;

use super::error::TraceError;
use super::lines::{Lines, excerpt};
use crate::random::{Purpose, Random};
use crate::time::SECOND;

/// Functions that an error message names at most.
const NAMED: usize = 10;

/// The positions of the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    function: usize,
    minutes: std::ops::Range<usize>,
}

impl Columns {
    /// `None` if the file has no `HashFunction`, or no minute `1`.
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
pub(crate) struct MinutesReader {
    lines: Lines,
    columns: Columns,
}

impl MinutesReader {
    pub(super) fn new(lines: Lines, columns: Columns) -> Self {
        Self { lines, columns }
    }

    /// Adds up all rows, or those of the function whose hash begins with `function`.
    ///
    /// # Errors
    /// When a line is wrong, or `function` matches no hash or several.
    pub(super) fn counts(mut self, function: Option<&str>) -> Result<Counts, TraceError> {
        let mut counts = vec![0; self.columns.minutes.len()];
        let mut matched = Matched::default();
        while let Some((line, record)) = self.lines.next()? {
            let hash = record.get(self.columns.function).unwrap_or_default();
            if let Some(prefix) = function {
                if !hash.starts_with(prefix.as_bytes()) {
                    continue;
                }
                matched.note(&String::from_utf8_lossy(hash));
            }
            if let Err(what) = add(&mut counts, record, &self.columns) {
                return Err(self.lines.error(line, what));
            }
        }
        if let Some(prefix) = function {
            let found = matched.exactly_one(prefix);
            found.map_err(|what| TraceError::function(self.lines.file(), what))?;
        }
        Ok(Counts { minutes: counts })
    }
}

/// The functions whose hash begins as asked.
#[derive(Debug, Default)]
struct Matched {
    named: Vec<String>,
    others: usize,
}

impl Matched {
    fn note(&mut self, hash: &str) {
        if self.named.iter().any(|known| known == hash) {
            return;
        }
        match self.named.len() < NAMED {
            true => self.named.push(hash.to_owned()),
            false => self.others += 1,
        }
    }

    fn exactly_one(&self, prefix: &str) -> Result<(), String> {
        match &self.named[..] {
            [_] => Ok(()),
            [] => Err(format!("no row has a HashFunction that begins with `{prefix}`")),
            several => {
                let more = if self.others > 0 { ", .." } else { "" };
                Err(format!(
                    "the hashes of several functions begin with `{prefix}`; write more of one: \
                     {}{more}",
                    several.join(", ")
                ))
            }
        }
    }
}

fn add(counts: &mut [u64], record: &ByteRecord, columns: &Columns) -> Result<(), String> {
    for (minute, index) in columns.minutes.clone().enumerate() {
        let field = record.get(index).unwrap_or_default();
        let count = std::str::from_utf8(field).ok().and_then(|text| text.parse::<u64>().ok());
        let sum = count.and_then(|count| counts[minute].checked_add(count));
        counts[minute] = sum.ok_or_else(|| {
            format!("`{}` in column {} is not a number of requests", excerpt(field), minute + 1)
        })?;
    }
    Ok(())
}

/// The requests of each minute, from the first on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    minutes: Vec<u64>,
}

impl Counts {
    /// Multiplies each count. The fraction of a product is the probability of one more
    /// request.
    pub(super) fn scale(&mut self, scale: f64, mut random: Random) {
        if scale != 1.0 {
            for count in &mut self.minutes {
                *count = random.round(*count as f64 * scale);
            }
        }
    }
}

/// The arrivals of [`Counts`] in nanoseconds from the beginning: independent and uniform
/// within each minute. They are drawn in order, the smallest of the remaining ones first, so
/// that none need be stored (Devroye, *Non-Uniform Random Variate Generation*, 1986, section
/// V.3).
#[derive(Debug)]
pub(crate) struct MinuteTimes {
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
        // The smallest of n uniform numbers is 1 - v^(1/n).
        self.rest *= libm::exp(-self.random.exponential() / self.left as f64);
        self.left -= 1;
        let into_minute = ((1.0 - self.rest) * MINUTE as f64) as u64;
        Some(self.minute_ns + into_minute.min(MINUTE - 1))
    }
}
