//! From a description to arrivals.

use std::path::Path;
use std::time::Duration;

use lumos_model::arrival::{Arrival, Factor, Rate, Traffic};
use lumos_model::units::Span;

use super::clients::Clients;
use super::error::ArrivalError;
use super::gaps::Gaps;
use super::poisson::{Piece, Pieces, Poisson};
use super::times::{Source, Times};
use crate::random::{Purpose, Random};
use crate::time::whole_ns;
use crate::trace::{self, Recorded};

/// The highest accepted rate in requests a second: a mean gap of a nanosecond.
const HIGHEST_RATE: f64 = 1e9;

/// When to send requests.
#[derive(Debug)]
pub enum Arrivals {
    /// Open loop: at these times, whatever the responses are.
    Open(Box<Times>),
    /// Closed loop: after the response to the last request; there are no times.
    Closed(Clients),
}

impl Arrivals {
    /// The arrivals of `traffic` within `duration`. A trace is read twice: here, to find its
    /// mistakes before anything is sent, and again while the times are used.
    ///
    /// # Errors
    /// When a value is out of range, or a trace cannot be read.
    pub fn new(traffic: &Traffic, seed: u64, duration: Duration) -> Result<Self, ArrivalError> {
        let end_ns = whole_ns(duration);
        let pieces = match &traffic.arrival {
            Arrival::Closed { concurrency } => {
                return Clients::new(*concurrency, traffic.delayed, seed).map(Self::Closed);
            }
            Arrival::Constant { rate } => {
                let source = Source::Constant { rate: check_rate(*rate)?, number: 0 };
                return Ok(Self::open(source, traffic, seed, end_ns));
            }
            Arrival::Trace { file, function, scale, speed } => {
                let source = recorded(file, function.as_deref(), *scale, *speed, seed)?;
                return Ok(Self::open(source, traffic, seed, end_ns));
            }
            Arrival::Poisson { rate } => {
                Pieces::once(vec![Piece::level(end_ns, check_rate(*rate)?)])
            }
            Arrival::Ramp { from, to } => {
                let (from, to) = (check_rate(*from)?.get(), check_rate(*to)?.get());
                Pieces::once(vec![Piece { length_ns: end_ns, from, to }])
            }
            Arrival::Burst { rate, low, on, off } => bursts(*rate, *low, *on, *off)?,
            Arrival::Steps { rates, each } => steps(rates, *each)?,
        };
        let random = Random::new(seed, Purpose::Arrivals);
        let source = Source::Poisson(Box::new(Poisson::new(pieces, end_ns, random)));
        Ok(Self::open(source, traffic, seed, end_ns))
    }

    fn open(source: Source, traffic: &Traffic, seed: u64, end_ns: u64) -> Self {
        let gaps = Gaps::new(traffic.delayed, seed, Purpose::Delays);
        Self::Open(Box::new(Times::new(source, gaps, end_ns)))
    }
}

fn recorded(
    file: &Path,
    function: Option<&str>,
    scale: Factor,
    speed: Factor,
    seed: u64,
) -> Result<Source, ArrivalError> {
    trace::check(file)?;
    let recorded = Box::new(Recorded::open(file, function, scale, seed)?);
    Ok(Source::Trace { recorded, speed: speed.get() })
}

fn bursts(rate: Rate, low: Rate, on: Span, off: Span) -> Result<Pieces, ArrivalError> {
    let on = Piece::level(whole_ns(on.0), check_rate(rate)?);
    let off = Piece::level(whole_ns(off.0), check_rate(low)?);
    if on.length_ns == 0 && off.length_ns == 0 {
        let must = "a burst must take some time";
        return Err(ArrivalError::out_of_range("on + off", "0s", must));
    }
    Ok(Pieces::repeat(vec![on, off]))
}

fn steps(rates: &[Rate], each: Span) -> Result<Pieces, ArrivalError> {
    if rates.is_empty() {
        let must = "at least one step is needed";
        return Err(ArrivalError::out_of_range("rates", "empty", must));
    }
    if each.0.is_zero() {
        return Err(ArrivalError::out_of_range("each", "0s", "a step must take some time"));
    }
    let step = |rate: &Rate| Ok(Piece::level(whole_ns(each.0), check_rate(*rate)?));
    let steps: Result<Vec<_>, ArrivalError> = rates.iter().map(step).collect();
    Ok(Pieces::once(steps?))
}

fn check_rate(rate: Rate) -> Result<Rate, ArrivalError> {
    if rate.get() > HIGHEST_RATE {
        let must = "at most a billion requests a second are possible";
        return Err(ArrivalError::out_of_range("rate", rate, must));
    }
    Ok(rate)
}
