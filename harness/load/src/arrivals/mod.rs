//! From a [`Traffic`] and a seed to the same intended arrivals on every machine.
//!
//! ```
//! use lumos_load::arrivals::Arrivals;
//! use lumos_model::arrival::{Arrival, Rate, Traffic};
//! use std::time::Duration;
//!
//! let rate = Rate::new(4.0).unwrap();
//! let traffic = Traffic { arrival: Arrival::Constant { rate }, delayed: None };
//! let Arrivals::Open(times) = Arrivals::new(&traffic, 1, Duration::from_secs(1)).unwrap() else {
//!     unreachable!("a constant rate is an open loop");
//! };
//! let times: Vec<u64> = times.collect::<Result<_, _>>().unwrap();
//! assert_eq!(times, [0, 250_000_000, 500_000_000, 750_000_000]);
//! ```

mod delay;
mod poisson;
pub mod random;

use std::time::Duration;

use lumos_model::arrival::{Arrival, Delayed, Rate, Traffic};

pub use self::delay::Gaps;
use self::poisson::{Piece, Pieces, Poisson};
use self::random::{Purpose, Random};
use crate::clock::SECOND;
use crate::trace::{self, Recorded, TraceError};

/// The highest rate that is accepted, in requests a second: no two times are closer than a
/// nanosecond apart in the mean.
pub const HIGHEST_RATE: f64 = 1e9;

/// A description that gives no arrivals.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrivalError {
    /// A value is outside of what it may be.
    #[error("{what} is {value}; {must}")]
    OutOfRange {
        /// Which value.
        what: &'static str,
        /// What it is.
        value: String,
        /// What it must be.
        must: &'static str,
    },
    /// The trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
}

/// When requests are to be sent.
#[derive(Debug)]
pub enum Arrivals {
    /// At these times, whatever the responses.
    Open(Box<Times>),
    /// When the response to the last one is there: there are no times.
    Closed(Clients),
}

impl Arrivals {
    /// The arrivals of `traffic` within `duration`. A trace is read through once, so that
    /// its mistakes are found before anything is sent; a second time while it is used.
    ///
    /// # Errors
    /// When a value makes no sense, or a trace cannot be read.
    pub fn new(traffic: &Traffic, seed: u64, duration: Duration) -> Result<Self, ArrivalError> {
        let end_ns = whole_ns(duration);
        let random = Random::new(seed, Purpose::Arrivals);
        let poisson =
            |pieces| Source::Poisson(Box::new(Poisson::new(pieces, end_ns, random.clone())));
        let source = match &traffic.arrival {
            Arrival::Closed { concurrency } => {
                if *concurrency == 0 {
                    return Err(out_of_range("concurrency", 0, "at least 1 client is needed"));
                }
                let delayed = traffic.delayed;
                return Ok(Self::Closed(Clients { concurrency: *concurrency, delayed, seed }));
            }
            Arrival::Constant { rate } => {
                Source::Constant { rate: check_rate(*rate)?.get(), next: 0 }
            }
            Arrival::Poisson { rate } => {
                poisson(Pieces::Once(vec![Piece::level(end_ns, check_rate(*rate)?)].into_iter()))
            }
            Arrival::Ramp { from, to } => {
                let (from, to) = (check_rate(*from)?.get(), check_rate(*to)?.get());
                poisson(Pieces::Once(vec![Piece { length_ns: end_ns, from, to }].into_iter()))
            }
            Arrival::Burst { rate, low, on, off } => {
                let on = Piece::level(whole_ns(on.0), check_rate(*rate)?);
                let off = Piece::level(whole_ns(off.0), check_rate(*low)?);
                if on.length_ns == 0 && off.length_ns == 0 {
                    return Err(out_of_range("on + off", "0s", "a burst must last some time"));
                }
                poisson(Pieces::Repeat(vec![on, off].into_iter().cycle()))
            }
            Arrival::Steps { rates, each } => {
                if rates.is_empty() {
                    return Err(out_of_range("rates", "empty", "at least one step is needed"));
                }
                if each.0.is_zero() {
                    return Err(out_of_range("each", "0s", "a step must last some time"));
                }
                let step = |rate: &Rate| Ok(Piece::level(whole_ns(each.0), check_rate(*rate)?));
                let steps: Result<Vec<_>, ArrivalError> = rates.iter().map(step).collect();
                poisson(Pieces::Once(steps?.into_iter()))
            }
            Arrival::Trace { file, function, scale, speed } => {
                let (scale, speed) = (scale.get(), speed.get());
                trace::check(file)?;
                let recorded = trace::open(file, function.as_deref(), scale, seed)?;
                Source::Trace { recorded: Box::new(recorded), speed }
            }
        };
        let gaps = Gaps::new(traffic.delayed, seed, Purpose::Delays);
        Ok(Self::Open(Box::new(Times { source, gaps, later_ns: 0, end_ns, ended: false })))
    }
}

/// The clients of a closed loop.
#[derive(Clone, Debug)]
pub struct Clients {
    concurrency: u32,
    delayed: Option<Delayed>,
    seed: u64,
}

impl Clients {
    /// How many there are.
    pub const fn concurrency(&self) -> u32 {
        self.concurrency
    }

    /// How long the client of this number, from 0, pauses before each of its requests.
    pub fn gaps(&self, client: u32) -> Gaps {
        Gaps::new(self.delayed, self.seed, Purpose::Client(client))
    }
}

/// Intended times in nanoseconds from the beginning, in order, all before the end of the
/// duration. An error, which only a trace that changed while it was read can give, is the
/// last item.
#[derive(Debug)]
pub struct Times {
    source: Source,
    gaps: Gaps,
    later_ns: u64,
    end_ns: u64,
    ended: bool,
}

#[derive(Debug)]
enum Source {
    Constant { rate: f64, next: u64 },
    Poisson(Box<Poisson>),
    Trace { recorded: Box<Recorded>, speed: f64 },
}

impl Source {
    fn next(&mut self) -> Option<Result<u64, TraceError>> {
        match self {
            Source::Constant { rate, next } => {
                // From the number and not from the time before: nothing accumulates.
                let at = *next as f64 * (SECOND as f64) / *rate;
                *next += 1;
                // 0/0: no rate, no arrival.
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
        let item = self.source.next();
        let item = match item {
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

fn whole_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn check_rate(rate: Rate) -> Result<Rate, ArrivalError> {
    if rate.get() > HIGHEST_RATE {
        return Err(out_of_range("rate", rate, "a billion requests a second is the most"));
    }
    Ok(rate)
}

fn out_of_range(what: &'static str, value: impl ToString, must: &'static str) -> ArrivalError {
    ArrivalError::OutOfRange { what, value: value.to_string(), must }
}
