//! How invocations arrive: the description, not the times themselves.
//!
//! The times come from `lumos-load`, which turns a [`Traffic`] and a seed into the same
//! list of intended arrivals on every machine.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::units::{BadQuantity, Span};

/// A number that is finite and not negative, such as a rate in requests a second.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Rate(f64);

impl Rate {
    /// `None`: it is negative, infinite or no number.
    pub fn new(value: f64) -> Option<Self> {
        // Adding zero turns -0.0 into 0.0, so that equal rates have equal bits.
        (value.is_finite() && value >= 0.0).then_some(Self(value + 0.0))
    }

    /// The number itself.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl PartialEq for Rate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Rate {}

impl PartialOrd for Rate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Hash for Rate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl TryFrom<f64> for Rate {
    type Error = BadQuantity;
    fn try_from(value: f64) -> Result<Self, BadQuantity> {
        Self::new(value).ok_or_else(|| bad_rate(&value.to_string()))
    }
}

impl From<Rate> for f64 {
    fn from(rate: Rate) -> f64 {
        rate.0
    }
}

impl FromStr for Rate {
    type Err = BadQuantity;
    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        text.parse().ok().and_then(Self::new).ok_or_else(|| bad_rate(text))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn bad_rate(text: &str) -> BadQuantity {
    BadQuantity::new(text, "rate", "100 or 0.5")
}

/// How invocations arrive. Rates are in requests a second.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Arrival {
    /// Closed loop: each of `concurrency` clients sends its next request when it has the
    /// response to its last.
    Closed {
        /// Requests in flight.
        concurrency: u32,
    },
    /// One request each 1/`rate` seconds.
    Constant {
        /// Requests a second.
        rate: Rate,
    },
    /// Independent requests: exponentially distributed gaps.
    Poisson {
        /// Requests a second, in the mean.
        rate: Rate,
    },
    /// On and off: Poisson at `rate` for `on`, then at `low` for `off`, and again.
    Burst {
        /// Requests a second while on.
        rate: Rate,
        /// Requests a second while off.
        low: Rate,
        /// How long a burst lasts.
        on: Span,
        /// How long the pause between two bursts lasts.
        off: Span,
    },
    /// Poisson with a rate that goes evenly from `from` to `to` over the whole duration.
    Ramp {
        /// Requests a second at the beginning.
        from: Rate,
        /// Requests a second at the end.
        to: Rate,
    },
    /// Poisson at one rate after the other.
    Steps {
        /// Requests a second of each step.
        rates: Vec<Rate>,
        /// How long each step lasts.
        each: Span,
    },
    /// Recorded arrivals: a CSV of times, or counts by minute in the format of the Azure
    /// Functions 2019 trace.
    Trace {
        /// The file.
        file: PathBuf,
        /// Of counts by minute, the function whose row is used: the beginning of its
        /// hash; absent: all rows together.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        function: Option<String>,
        /// How many times as many arrivals as were recorded.
        scale: Rate,
        /// How many times as fast as they were recorded.
        speed: Rate,
    },
}

impl Arrival {
    /// Whether requests wait for responses.
    pub const fn is_closed(&self) -> bool {
        matches!(self, Arrival::Closed { .. })
    }
}

/// A short name that tells two arrivals of a scenario apart, such as `closed-16`.
impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Arrival::Closed { concurrency } => format!("closed-{concurrency}"),
            Arrival::Constant { rate } => format!("constant-{rate}"),
            Arrival::Poisson { rate } => format!("poisson-{rate}"),
            Arrival::Burst { rate, low, on, off } => format!("burst-{rate}-{low}-{on}-{off}"),
            Arrival::Ramp { from, to } => format!("ramp-{from}-{to}"),
            Arrival::Steps { rates, each } => {
                let rates: Vec<String> = rates.iter().map(Rate::to_string).collect();
                format!("steps-{}-{each}", rates.join("-"))
            }
            Arrival::Trace { file, function, scale, speed } => {
                let name = file.file_stem().unwrap_or_default().to_string_lossy();
                let function = function.as_deref().map(|f| format!("-{f}")).unwrap_or_default();
                format!("trace-{name}{function}-{scale}-{speed}")
            }
        };
        f.pad(&text)
    }
}

/// Idle gaps that force cold starts into a mix: before a request, with the probability
/// `share`, nothing arrives for `gap`, and all that follows is later by as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delayed {
    /// From 0 to 1.
    pub share: Rate,
    /// Longer than the pool's keep-alive, if it is to force a cold start.
    pub gap: Span,
}

impl FromStr for Delayed {
    type Err = String;

    /// `SHARE,GAP`, such as `0.1,5s`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (share, gap) =
            text.split_once(',').ok_or("write a share and a time, such as 0.1,5s")?;
        let share: Rate = share.trim().parse().map_err(|_| format!("`{share}` is no share"))?;
        if share.get() > 1.0 {
            return Err(format!("a share goes from 0 to 1, and {share} is more than all"));
        }
        let gap = gap.trim().parse().map_err(|error: BadQuantity| error.to_string())?;
        Ok(Self { share, gap })
    }
}

/// Arrivals with what is done to them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Traffic {
    /// How invocations arrive.
    pub arrival: Arrival,
    /// Gaps that are put between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delayed: Option<Delayed>,
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.delayed {
            None => self.arrival.fmt(f),
            Some(Delayed { share, gap }) => {
                f.pad(&format!("{}-delayed-{share}-{gap}", self.arrival))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_a_share_and_a_gap() {
        let delayed: Delayed = "0.1, 5s".parse().unwrap();
        assert_eq!((delayed.share.get(), delayed.gap.to_string()), (0.1, "5s".to_owned()));
        for wrong in ["0.1", "5s", "1.5,5s", "-1,5s", "0.1,", "0.1,five", ""] {
            assert!(wrong.parse::<Delayed>().is_err(), "{wrong} was accepted");
        }
    }

    #[test]
    fn rates_are_finite_and_have_an_order() {
        for wrong in ["-1", "inf", "NaN", "", "ten"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong} was accepted");
        }
        let rate = |text: &str| text.parse::<Rate>().unwrap();
        assert!(rate("0.5") < rate("10"));
        assert_eq!(Rate::new(-0.0), Rate::new(0.0));
        assert_eq!(rate("100").to_string(), "100");
    }

    #[test]
    fn arrivals_are_objects_with_a_kind_and_have_short_names() {
        let arrival = Arrival::Burst {
            rate: Rate::new(50.0).unwrap(),
            low: Rate::new(0.0).unwrap(),
            on: "2s".parse().unwrap(),
            off: "500ms".parse().unwrap(),
        };
        let json = serde_json::to_value(&arrival).unwrap();
        assert_eq!(json["kind"], "burst");
        assert_eq!(serde_json::from_value::<Arrival>(json).unwrap(), arrival);
        assert_eq!(arrival.to_string(), "burst-50-0-2s-500ms");
        let delayed = Some(Delayed { share: Rate::new(0.25).unwrap(), gap: "3s".parse().unwrap() });
        let traffic = Traffic { arrival: Arrival::Closed { concurrency: 4 }, delayed };
        assert_eq!(traffic.to_string(), "closed-4-delayed-0.25-3s");
    }
}
