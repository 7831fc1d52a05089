//! The load on the cells' pools: arrivals, drivers, the pool itself.

use std::path::Path;

use lumos_model::arrival::{Arrival, Rate, Traffic};
use lumos_model::cell::{Driver, LoadPoint};
use lumos_model::pool::PoolConfig;
use lumos_model::units::Span;
use serde::{Deserialize, Serialize};

/// The load on the cells' pools, and how the pools are managed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadSettings {
    /// Where requests come from.
    pub drivers: Vec<Driver>,
    /// How requests arrive.
    pub traffic: Vec<Traffic>,
    /// How long an instance may be idle.
    pub keep_alive: Vec<Span>,
    /// How long a block sends requests.
    pub duration: Span,
    /// The number of requests after which a block sends no more.
    pub requests: u32,
    /// The pools' settings. Their keep-alive is an axis instead.
    pub pool: PoolConfig,
}

impl LoadSettings {
    /// The loads that each combination of the matrix is measured under, in the order of the
    /// lists.
    pub fn points(&self) -> Vec<LoadPoint> {
        let mut points = Vec::new();
        for &driver in &self.drivers {
            for traffic in &self.traffic {
                for &keep_alive in &self.keep_alive {
                    points.push(LoadPoint { driver, traffic: traffic.clone(), keep_alive });
                }
            }
        }
        points
    }

    /// The pool of a cell under the load `point`.
    pub fn pool_of(&self, point: &LoadPoint) -> PoolConfig {
        PoolConfig { keep_alive: point.keep_alive, ..self.pool.clone() }
    }

    /// The file of recorded arrivals, as the scenario names it. A scenario has only one kind of
    /// arrivals, and so at most one file.
    pub fn trace(&self) -> Option<&Path> {
        self.traffic.iter().find_map(|traffic| match &traffic.arrival {
            Arrival::Trace { file, .. } => Some(file.as_path()),
            _ => None,
        })
    }
}

/// `traffic` with its recorded arrivals read from `file`.
pub fn traffic_from(traffic: &Traffic, file: &Path) -> Traffic {
    let mut traffic = traffic.clone();
    if let Arrival::Trace { file: named, .. } = &mut traffic.arrival {
        *named = file.to_owned();
    }
    traffic
}

/// The number of requests that `traffic` is expected to send within `duration`; `None` if only
/// the run can show it. Ignores that the gaps of delayed requests reduce the number.
pub fn expected_requests(traffic: &Traffic, duration: Span) -> Option<f64> {
    let seconds = duration.0.as_secs_f64();
    match &traffic.arrival {
        Arrival::Closed { .. } | Arrival::Trace { .. } => None,
        Arrival::Constant { rate } | Arrival::Poisson { rate } => Some(rate.get() * seconds),
        Arrival::Burst { rate, low, on, off } => {
            let (on, off) = (on.0.as_secs_f64(), off.0.as_secs_f64());
            let (cycles, rest) = ((seconds / (on + off)).floor(), seconds % (on + off));
            let bursting = cycles * on + rest.min(on);
            Some(bursting * rate.get() + (seconds - bursting) * low.get())
        }
        Arrival::Ramp { from, to } => Some((from.get() + to.get()) / 2.0 * seconds),
        Arrival::Steps { rates, each } => {
            let each = each.0.as_secs_f64();
            let of_step = |(step, rate): (usize, &Rate)| {
                rate.get() * (seconds - step as f64 * each).clamp(0.0, each)
            };
            Some(rates.iter().enumerate().map(of_step).sum())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_arrivals_have_an_expected_number() {
        let rate = |value| Rate::new(value).unwrap();
        let span = |text: &str| text.parse::<Span>().unwrap();
        let expected =
            |arrival| expected_requests(&Traffic { arrival, delayed: None }, span("10s"));
        assert_eq!(expected(Arrival::Closed { concurrency: 3 }), None);
        assert_eq!(expected(Arrival::Constant { rate: rate(50.0) }), Some(500.0));
        let burst =
            Arrival::Burst { rate: rate(20.0), low: rate(1.0), on: span("2s"), off: span("2s") };
        assert_eq!(expected(burst), Some(6.0 * 20.0 + 4.0));
        assert_eq!(expected(Arrival::Ramp { from: rate(0.0), to: rate(10.0) }), Some(50.0));
        let rates = vec![rate(1.0), rate(2.0), rate(3.0)];
        assert_eq!(expected(Arrival::Steps { rates, each: span("4s") }), Some(4.0 + 8.0 + 6.0));
    }
}
