//! `lumos load`: sends requests to a server.

mod arguments;
mod json;
mod sent;
mod text;
mod watch;

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use anyhow::bail;
use lumos_load::http::{self, LoadOptions, Target, TargetError};
use lumos_os::machine::{Health, Probe, Root};
use lumos_runner::interrupt;

pub(super) use self::arguments::LoadCommand;
use self::sent::Sent;
use self::watch::Watch;
use crate::arguments::Format;
use crate::exit::Exit;

/// How long to wait for a connection to one of several addresses of a host name.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

impl LoadCommand {
    /// Sends requests, and writes what came of them to `out`. After a signal the result is
    /// written too, before the error is returned.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        if self.timeout.0.is_zero() {
            bail!("--timeout 0s leaves no time to answer");
        }
        let target = self.fill(reachable(&self.url)?)?;
        interrupt::install()?;
        let sent = self.send(target)?;
        if sent.report.requests == 0 && !sent.report.stopped {
            bail!("nothing was sent: no request is due within the duration");
        }
        match self.format {
            Format::Text => out.write_all(text::text(&sent).as_bytes())?,
            Format::Json => writeln!(out, "{:#}", json::json(&sent))?,
        }
        out.flush()?;
        interrupt::check()?;
        Ok(if sent.report.failures() > 0 { Exit::MeasuredFailure } else { Exit::Done })
    }

    fn send(&self, target: Target) -> anyhow::Result<Sent<'_>> {
        let (traffic, seed) = (self.traffic(), self.seed);
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
        let probe = Probe::new(Root::system());
        let before = probe.read();
        let report = http::run(&target, &traffic, seed, duration, &options, &mut |_| {})?;
        let health = Health::between(&before, &probe.read());
        Ok(Sent { url: &self.url, target, traffic, seed, report, health })
    }
}

/// The first address of the URL's host that accepts a connection. When none does, the first of
/// all, for the error to name.
fn reachable(url: &str) -> Result<Target, TargetError> {
    let targets = Target::resolve(url)?;
    let accepts =
        |target: &&Target| TcpStream::connect_timeout(&target.addr, CONNECT_TIMEOUT).is_ok();
    let found = match &targets[..] {
        [one] => Some(one),
        several => several.iter().find(accepts).or(several.first()),
    };
    found.cloned().ok_or_else(|| TargetError::Url { url: url.to_owned() })
}
