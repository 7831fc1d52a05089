//! How invocations arrive: the description, not the times themselves.
//!
//! `lumos-load` computes the times: a [`Traffic`] and a seed give the same list of intended
//! arrivals on every machine.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::units::{BadQuantity, Span};

pub use crate::units::{Factor, Rate, Share};

/// How invocations arrive. Rates are requests a second.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Arrival {
    /// Closed loop: each of `concurrency` clients sends its next request after the response to
    /// its last one.
    Closed {
        /// Requests in flight.
        concurrency: u32,
    },
    /// One request every 1/`rate` seconds.
    Constant {
        /// Requests a second.
        rate: Rate,
    },
    /// Independent requests: exponentially distributed gaps.
    Poisson {
        /// Mean requests a second.
        rate: Rate,
    },
    /// On and off in turn: Poisson at `rate` for `on`, then at `low` for `off`.
    Burst {
        /// Requests a second while on.
        rate: Rate,
        /// Requests a second while off.
        low: Rate,
        /// Length of a burst.
        on: Span,
        /// Length of the pause between two bursts.
        off: Span,
    },
    /// Poisson at a rate that changes linearly from `from` to `to` over the whole duration.
    Ramp {
        /// Requests a second at the beginning.
        from: Rate,
        /// Requests a second at the end.
        to: Rate,
    },
    /// Poisson at one rate after another.
    Steps {
        /// Requests a second of each step.
        rates: Vec<Rate>,
        /// Length of each step.
        each: Span,
    },
    /// Recorded arrivals: a CSV of times, or counts by minute in the format of the Azure
    /// Functions 2019 trace.
    Trace {
        /// The file.
        file: PathBuf,
        /// For counts by minute: the beginning of the hash of the function to use. If absent,
        /// all rows are added up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        function: Option<String>,
        /// Multiplies the number of arrivals.
        scale: Factor,
        /// Multiplies the speed of the recording.
        speed: Factor,
    },
}

impl Arrival {
    /// Whether a request waits for the response to the one before.
    pub const fn is_closed(&self) -> bool {
        matches!(self, Arrival::Closed { .. })
    }
}

/// A short name that is unique within a scenario, such as `closed-16`.
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

/// Idle gaps that force cold starts. Before each request, with probability `share`, nothing
/// arrives for `gap`; all later requests move by the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delayed {
    /// The share of requests that come after a gap.
    pub share: Share,
    /// To force a cold start, longer than the pool's keep-alive.
    pub gap: Span,
}

impl FromStr for Delayed {
    type Err = String;

    /// `SHARE,GAP`, such as `0.1,5s`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (share, gap) =
            text.split_once(',').ok_or("write a share and a time, such as 0.1,5s")?;
        let bad = |error: BadQuantity| error.to_string();
        Ok(Self {
            share: share.trim().parse().map_err(bad)?,
            gap: gap.trim().parse().map_err(bad)?,
        })
    }
}

/// Arrivals with their gaps.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Traffic {
    /// How invocations arrive.
    pub arrival: Arrival,
    /// Gaps inserted before some of them.
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
    fn delayed_is_written_as_a_share_and_a_gap() {
        let delayed: Delayed = "0.1, 5s".parse().unwrap();
        assert_eq!((delayed.share.get(), delayed.gap.to_string()), (0.1, "5s".to_owned()));
        for wrong in ["0.1", "5s", "1.5,5s", "-1,5s", "0.1,", "0.1,five", ""] {
            assert!(wrong.parse::<Delayed>().is_err(), "{wrong} was accepted");
        }
    }

    #[test]
    fn arrivals_are_json_objects_with_a_kind_and_have_short_names() {
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
        let delayed =
            Some(Delayed { share: Share::new(0.25).unwrap(), gap: "3s".parse().unwrap() });
        let traffic = Traffic { arrival: Arrival::Closed { concurrency: 4 }, delayed };
        assert_eq!(traffic.to_string(), "closed-4-delayed-0.25-3s");
    }
}
