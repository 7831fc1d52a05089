//! The arrivals of a trace.

use std::path::Path;

use lumos_model::arrival::Factor;

use super::error::TraceError;
use super::file::{Reader, Trace};
use super::minutes::MinuteTimes;
use super::times::TimesReader;
use crate::random::{Purpose, Random};

/// Reads a file of times to its end, so that a mistake in the last line is found before the
/// first request is sent. For counts by minute, [`Recorded::open`] does so.
///
/// # Errors
/// The first mistake.
pub(crate) fn check(file: &Path) -> Result<(), TraceError> {
    match Trace::open(file)?.0 {
        Reader::Times(mut times) => times.try_for_each(|time| time.map(|_| ())),
        Reader::Minutes(_) => Ok(()),
    }
}

/// Recorded arrivals in nanoseconds from the beginning of the recording, in order.
#[derive(Debug)]
pub(crate) struct Recorded(Source);

#[derive(Debug)]
enum Source {
    Times(Scaled),
    Minutes(MinuteTimes),
}

impl Recorded {
    /// The arrivals of `file`, with their number multiplied by `scale`. For counts by minute:
    /// those of the function whose hash begins with `function`, or of all rows. `seed`
    /// determines the rounding of `scale` and the place within a minute.
    ///
    /// # Errors
    /// When the file cannot be read, or `function` does not match exactly one function.
    pub(crate) fn open(
        file: &Path,
        function: Option<&str>,
        scale: Factor,
        seed: u64,
    ) -> Result<Self, TraceError> {
        let random = Random::new(seed, Purpose::Scale);
        Ok(Self(match (Trace::open(file)?.0, function) {
            (Reader::Times(times), None) => Source::Times(Scaled::new(times, scale, random)),
            (Reader::Times(times), Some(_)) => {
                let what = "a trace of times has no functions; leave the function out";
                return Err(TraceError::function(times.file(), what.to_owned()));
            }
            (Reader::Minutes(minutes), function) => {
                let mut counts = minutes.counts(function)?;
                counts.scale(scale.get(), random);
                Source::Minutes(MinuteTimes::new(counts, seed))
            }
        }))
    }
}

impl Iterator for Recorded {
    type Item = Result<u64, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::Times(times) => times.next(),
            Source::Minutes(times) => times.next().map(Ok),
        }
    }
}

/// Recorded times, each repeated at the same time as often as the scale says.
#[derive(Debug)]
struct Scaled {
    times: TimesReader,
    scale: f64,
    /// Rounds the scale.
    random: Random,
    at_ns: u64,
    /// How often the current time is still to be repeated.
    copies: u64,
}

impl Scaled {
    fn new(times: TimesReader, scale: Factor, random: Random) -> Self {
        Self { times, scale: scale.get(), random, at_ns: 0, copies: 0 }
    }
}

impl Iterator for Scaled {
    type Item = Result<u64, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.copies == 0 {
            match self.times.next()? {
                Ok(at_ns) => {
                    (self.at_ns, self.copies) = (at_ns, self.random.round(self.scale));
                }
                Err(error) => return Some(Err(error)),
            }
        }
        self.copies -= 1;
        Some(Ok(self.at_ns))
    }
}
