//! The arguments of `lumos load`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use http::{HeaderName, HeaderValue, Method};
use lumos_load::http::Target;
use lumos_model::arrival::{Arrival, Delayed, Factor, Rate, Traffic};
use lumos_model::units::Span;

use crate::arguments::Format;

/// How long to send when nothing else bounds the load.
const DEFAULT_DURATION: Duration = Duration::from_secs(10);
/// Clients of a closed loop, unless the user sets their number.
const DEFAULT_CONCURRENCY: u32 = 16;

/// Send requests to an HTTP server, and show latencies, rates and outcomes
///
/// With --rate or --trace, requests are sent at their intended times, whether or not earlier ones
/// were answered (open loop), and latency counts from the intended time. Otherwise each client
/// waits for a response before it sends its next request (closed loop).
///
/// Exit code: 0 when all requests succeeded, 1 when some failed, 2 for bad usage or when the
/// server cannot be reached.
#[derive(Debug, Args)]
pub(crate) struct LoadCommand {
    /// Where to send requests, such as http://127.0.0.1:8080/noop
    pub(super) url: String,

    /// How long to send [default: 10s; with --requests or --trace: no limit]
    #[arg(long)]
    duration: Option<Span>,

    /// Maximum number of requests
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) requests: Option<u64>,

    /// Time limit of a request, from its intended time; without a complete response by then it
    /// has failed
    #[arg(long, default_value = "10s")]
    pub(super) timeout: Span,

    /// Maximum number of connections in an open loop; further requests wait for one, which
    /// counts as latency
    #[arg(long, value_name = "N", default_value_t = 256,
          value_parser = clap::value_parser!(u32).range(1..=60_000))]
    pub(super) connections: u32,

    /// Seed of random arrivals
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,

    /// Output format
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,

    #[command(flatten, next_help_heading = "Request")]
    request: RequestArgs,

    #[command(flatten, next_help_heading = "Traffic")]
    traffic: TrafficArgs,
}

impl LoadCommand {
    /// How long to send; `None`: as long as there are requests.
    pub(super) fn duration(&self) -> Option<Duration> {
        let is_bounded = self.requests.is_some() || self.traffic.trace.is_some();
        let default = (!is_bounded).then_some(DEFAULT_DURATION);
        self.duration.map(|span| span.0).or(default)
    }

    /// When requests are sent.
    pub(super) fn traffic(&self) -> Traffic {
        Traffic { arrival: self.traffic.arrival(), delayed: self.traffic.delayed }
    }

    /// Enters what is sent into `target`.
    pub(super) fn fill(&self, target: Target) -> anyhow::Result<Target> {
        self.request.fill(target)
    }
}

#[derive(Debug, Args)]
struct RequestArgs {
    /// Method [default: GET, or POST with a body]
    #[arg(long, short = 'X')]
    method: Option<Method>,

    /// Body; @FILE reads it from a file
    #[arg(long, short = 'd', value_name = "TEXT|@FILE")]
    body: Option<String>,

    /// Additional header; may be repeated
    #[arg(long = "header", short = 'H', value_name = "NAME:VALUE", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl RequestArgs {
    fn fill(&self, mut target: Target) -> anyhow::Result<Target> {
        if let Some(body) = &self.body {
            target.body = match body.strip_prefix('@') {
                Some(file) => std::fs::read(file).with_context(|| format!("read --body {body}"))?,
                None => body.clone().into_bytes(),
            };
            target.method = Method::POST;
        }
        if let Some(method) = &self.method {
            target.method = method.clone();
        }
        for (name, value) in &self.headers {
            target.headers.append(name.clone(), value.clone());
        }
        Ok(target)
    }
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write NAME:VALUE")?;
    let name = name.trim().parse().map_err(|_| format!("`{name}` is not a header name"))?;
    let value = value.trim().parse().map_err(|_| format!("`{value}` is not a header value"))?;
    Ok((name, value))
}

#[derive(Debug, Args)]
#[group(multiple = true)]
struct TrafficArgs {
    /// Open loop: requests per second
    #[arg(long, value_name = "R", conflicts_with_all = ["concurrency", "trace"])]
    rate: Option<Rate>,

    /// How requests arrive at that rate
    #[arg(long, value_enum, default_value_t, requires = "rate")]
    arrival: RateKind,

    /// Closed loop: number of clients [default: 16]
    #[arg(long, short = 'c', value_name = "N", conflicts_with = "trace",
          value_parser = clap::value_parser!(u32).range(1..=60_000))]
    concurrency: Option<u32>,

    /// Open loop: arrival times from a CSV file, either times or counts per minute in the format
    /// of the Azure Functions 2019 trace
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,

    /// Use only the function whose hash starts with this, from counts per minute
    #[arg(long, value_name = "HASH", requires = "trace")]
    trace_function: Option<String>,

    /// Send this many times the requests of the trace
    #[arg(long, value_name = "X", default_value = "1", requires = "trace")]
    scale: Factor,

    /// Replay the trace this many times faster
    #[arg(long, value_name = "X", default_value = "1", requires = "trace")]
    speed: Factor,

    /// Before this share of the requests, such as 0.1,3s, pause for this long: the client in a
    /// closed loop, all traffic in an open loop. A pause longer than a server's keep-alive forces
    /// cold starts
    #[arg(long, value_name = "SHARE,GAP")]
    delayed: Option<Delayed>,
}

/// How requests arrive at a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum RateKind {
    /// Evenly spaced
    #[default]
    Constant,
    /// A Poisson process: independent of each other
    Poisson,
}

impl TrafficArgs {
    fn arrival(&self) -> Arrival {
        match (&self.trace, self.rate) {
            (Some(file), _) => Arrival::Trace {
                file: file.clone(),
                function: self.trace_function.clone(),
                scale: self.scale,
                speed: self.speed,
            },
            (None, Some(rate)) => match self.arrival {
                RateKind::Constant => Arrival::Constant { rate },
                RateKind::Poisson => Arrival::Poisson { rate },
            },
            (None, None) => {
                Arrival::Closed { concurrency: self.concurrency.unwrap_or(DEFAULT_CONCURRENCY) }
            }
        }
    }
}
