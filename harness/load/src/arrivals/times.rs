//! The intended times of an open loop.

use lumos_model::arrival::Rate;

use super::gaps::Gaps;
use super::poisson::Poisson;
use crate::time::{SECOND, whole_ns};
use crate::trace::{Recorded, TraceError};

/// Intended times in nanoseconds from the beginning, in order, all before the end of the
/// duration. Only a trace that changes while it is read can give an error, which is then the
/// last item.
#[derive(Debug)]
pub struct Times {
    source: Source,
    gaps: Gaps,
    /// The sum of all gaps so far.
    later_ns: u64,
    end_ns: u64,
    ended: bool,
}

impl Times {
    pub(super) fn new(source: Source, gaps: Gaps, end_ns: u64) -> Self {
        Self { source, gaps, later_ns: 0, end_ns, ended: false }
    }
}

/// Times before gaps are added.
#[derive(Debug)]
pub(super) enum Source {
    Constant { rate: Rate, number: u64 },
    Poisson(Box<Poisson>),
    Trace { recorded: Box<Recorded>, speed: f64 },
}

impl Source {
    fn next(&mut self) -> Option<Result<u64, TraceError>> {
        match self {
            Source::Constant { rate, number } => {
                // From the number and not from the time before, so that no error accumulates.
                let at = *number as f64 * (SECOND as f64) / rate.get();
                *number += 1;
                // At rate 0, the first time is 0/0: there are no arrivals.
                (!at.is_nan()).then_some(Ok(at as u64))
            }
            Source::Poisson(poisson) => poisson.next().map(Ok),
            Source::Trace { recorded, speed } => match recorded.next()? {
                Ok(at) if *speed != 1.0 => Some(Ok((at as f64 / *speed) as u64)),
                same => Some(same),
            },
        }
    }
}

impl Iterator for Times {
    type Item = Result<u64, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = match self.source.next() {
            Some(Ok(at)) => {
                self.later_ns = self.later_ns.saturating_add(whole_ns(self.gaps.next_gap()));
                let at = at.saturating_add(self.later_ns);
                (at < self.end_ns).then_some(Ok(at))
            }
            other => other,
        };
        self.ended = !matches!(item, Some(Ok(_)));
        item
    }
}
