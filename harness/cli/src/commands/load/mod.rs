//! `lumos load`: send requests to a server and say what came of them.

mod json;
mod text;
mod watch;

use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use lumos_load::http::{self, LoadOptions, Target, TargetError};
use lumos_model::arrival::{Arrival, Delayed, Factor, Rate, Traffic};
use lumos_model::units::Span;
use lumos_os::machine::{Health, Probe, Root};
use lumos_runner::interrupt;

use self::watch::Watch;
use super::Exit;
use super::shared::Format;

/// Send requests to an HTTP server and say what came of them.
///
/// With --rate or --trace requests leave at their times, whatever the answers (open loop), and
/// latency counts from those times. Otherwise each client waits for its answer (closed loop).
#[derive(Debug, Args)]
pub struct Load {
    /// Where to, such as http://127.0.0.1:8080/noop.
    url: String,

    #[command(flatten, next_help_heading = "Request")]
    request: RequestArgs,

    #[command(flatten, next_help_heading = "Traffic")]
    traffic: TrafficArgs,

    /// Send for so long [default: 10s; with --requests or --trace: no bound].
    #[arg(long)]
    duration: Option<Span>,

    /// Send at most so many requests.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    requests: Option<u64>,

    /// A request without a complete answer so long after its time has failed.
    #[arg(long, default_value = "10s")]
    timeout: Span,

    /// Connections at one time in an open loop; when all are in use, requests wait, and that
    /// counts.
    #[arg(long, value_name = "N", default_value_t = 256,
          value_parser = clap::value_parser!(u32).range(1..=60_000))]
    connections: u32,

    /// Seed of what is random in the traffic.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// In which form.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
struct RequestArgs {
    /// The method [default: GET, or POST with a body].
    #[arg(long, short = 'X')]
    method: Option<::http::Method>,

    /// The body; @FILE reads it from a file.
    #[arg(long, short = 'd', value_name = "TEXT|@FILE")]
    body: Option<String>,

    /// A further header; may be given several times.
    #[arg(long = "header", short = 'H', value_name = "NAME:VALUE", value_parser = header)]
    headers: Vec<(::http::HeaderName, ::http::HeaderValue)>,
}

#[derive(Debug, Args)]
#[group(multiple = true)]
struct TrafficArgs {
    /// Open loop: so many requests a second.
    #[arg(long, value_name = "R", conflicts_with_all = ["concurrency", "trace"])]
    rate: Option<Rate>,

    /// How requests arrive at that rate.
    #[arg(long, value_enum, default_value_t, requires = "rate")]
    arrival: RateKind,

    /// Closed loop: so many clients [default: 16].
    #[arg(long, short = 'c', value_name = "N", conflicts_with = "trace",
          value_parser = clap::value_parser!(u32).range(1..=60_000))]
    concurrency: Option<u32>,

    /// Open loop: the arrival times of a file, a CSV of times or counts by minute in the
    /// format of the Azure Functions 2019 trace.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,

    /// Of counts by minute only the function whose hash begins so.
    #[arg(long, value_name = "HASH", requires = "trace")]
    trace_function: Option<String>,

    /// So many times as many requests as the trace has.
    #[arg(long, value_name = "X", default_value = "1", requires = "trace")]
    scale: Factor,

    /// So many times as fast as the trace was recorded.
    #[arg(long, value_name = "X", default_value = "1", requires = "trace")]
    speed: Factor,

    /// Before this share of the requests nothing is sent for so long, by that client or at all
    /// (open loop): outlives a server's keep-alive and forces cold starts into the mix.
    #[arg(long, value_name = "SHARE,GAP")]
    delayed: Option<Delayed>,
}

/// How requests arrive at a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum RateKind {
    /// At even distances.
    #[default]
    Constant,
    /// Independent of each other.
    Poisson,
}

/// What was asked for, for the result to say.
struct Asked<'a> {
    url: &'a str,
    target: &'a Target,
    traffic: &'a Traffic,
    seed: u64,
}

impl Load {
    /// Sends the load and writes what came of it to `out`; ends with 1 when a request failed.
    ///
    /// # Errors
    /// Bad usage, a server that cannot be reached, or a signal, after the result was written.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let traffic = Traffic { arrival: self.traffic.arrival(), delayed: self.traffic.delayed };
        if self.timeout.0.is_zero() {
            bail!("--timeout 0s leaves no time to answer");
        }
        let target = self.request.fill(reachable(&self.url)?)?;
        interrupt::install()?;
        let probe = Probe::new(Root::system());
        let watch = Watch::start(self.duration(), self.requests);
        let options = LoadOptions {
            timeout: self.timeout.0,
            connections: self.connections,
            requests: self.requests,
            stop: Some(watch.stop()),
            live: Some(watch.live()),
            ..LoadOptions::default()
        };
        let duration = self.duration().unwrap_or(Duration::MAX);
        let before = probe.read();
        let report = http::run(&target, &traffic, self.seed, duration, &options, &mut |_| {});
        let health = Health::between(&before, &probe.read());
        drop(watch);
        let report = report?;
        if report.requests == 0 && !report.stopped {
            bail!("nothing was sent: no request is due within the duration");
        }
        let asked = Asked { url: &self.url, target: &target, traffic: &traffic, seed: self.seed };
        match self.format {
            Format::Text => out.write_all(text::text(&asked, &report, &health).as_bytes())?,
            Format::Json => writeln!(out, "{:#}", json::json(&asked, &report, &health))?,
        }
        out.flush()?;
        interrupt::check()?;
        Ok(if report.failures() > 0 { Exit::MeasuredFailure } else { Exit::Done })
    }

    /// `None`: as long as there are requests.
    fn duration(&self) -> Option<Duration> {
        let bounded = self.requests.is_some() || self.traffic.trace.is_some();
        let default = (!bounded).then_some(Duration::from_secs(10));
        self.duration.map(|span| span.0).or(default)
    }
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
            (None, None) => Arrival::Closed { concurrency: self.concurrency.unwrap_or(16) },
        }
    }
}

impl RequestArgs {
    fn fill(&self, mut target: Target) -> anyhow::Result<Target> {
        if let Some(body) = &self.body {
            target.body = match body.strip_prefix('@') {
                Some(file) => std::fs::read(file).with_context(|| format!("read --body {body}"))?,
                None => body.clone().into_bytes(),
            };
            target.method = ::http::Method::POST;
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

/// The first address of the URL's host that takes a connection; the first of all if none
/// does, for the error to name.
fn reachable(url: &str) -> Result<Target, TargetError> {
    let targets = Target::resolve(url)?;
    let answers =
        |target: &&Target| TcpStream::connect_timeout(&target.addr, Duration::from_secs(2)).is_ok();
    let found = match &targets[..] {
        [one] => Some(one),
        several => several.iter().find(answers).or(several.first()),
    };
    found.cloned().ok_or_else(|| TargetError::Url { url: url.to_owned() })
}

fn header(text: &str) -> Result<(::http::HeaderName, ::http::HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write NAME:VALUE")?;
    let name = name.trim().parse().map_err(|_| format!("`{name}` is no header's name"))?;
    let value = value.trim().parse().map_err(|_| format!("`{value}` is no header's value"))?;
    Ok((name, value))
}
