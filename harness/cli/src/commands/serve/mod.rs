//! `lumos serve`.

mod arguments;
mod text;

use std::io::Write;

use anyhow::Context;
use lumos_model::protocol::PoolRecords;
use lumos_runner::checks::{check_cell, check_function};
use lumos_runner::gateway::Gateway;
use lumos_runner::hosts::{ClientError, discover};
use lumos_runner::interrupt::{self, Interrupted};
use lumos_runner::session::Session;

pub(super) use self::arguments::ServeCommand;
use crate::exit::Exit;
use crate::terminal::warn_all;

impl ServeCommand {
    /// Serves until a signal is received, then drains the gateway. Writes to `out` what is
    /// served, and at the end what came of the requests.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        self.check()?;
        let settings = self.gateway_settings();
        let hosts = discover().context("look for hosts next to lumos")?;
        // The functions differ in nothing that a host may refuse.
        check_cell(&hosts, &settings.cell(&self.functions[0]))?;
        let artifacts = self.artifacts.open()?;
        for function in &self.functions {
            check_function(function, &artifacts)?;
        }
        interrupt::install()?;
        let mut session = Session::new(hosts, artifacts, self.session_settings());
        warn_all(&session.warnings);
        let gateway = Gateway::open(&mut session, &settings)?;
        write!(out, "{}", text::announcement(&settings, &self.instance, &gateway))?;
        out.flush()?;
        match self.serve(gateway) {
            Ok((signal, records)) => conclude(signal, &records, out),
            // The signal came before the gateway was open, and has killed its host.
            Err(ClientError::Interrupted(interrupted)) => Err(interrupted.into()),
            Err(error) => {
                eprintln!("error: the gateway is gone: {error}");
                Ok(Exit::MeasuredFailure)
            }
        }
    }

    fn serve(&self, mut gateway: Gateway) -> Result<(Interrupted, PoolRecords), ClientError> {
        let signal = gateway.serve()?;
        let within = self.http.drain_within;
        eprintln!("{signal}: draining for at most {within}");
        Ok((signal, gateway.drain(within)?))
    }
}

/// Writes what came of all requests.
fn conclude(
    signal: Interrupted,
    records: &PoolRecords,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    write!(out, "{}", text::summary(&records.causes))?;
    if records.stopped == 0 {
        return Ok(Exit::Done);
    }
    out.flush()?;
    let stopped = format!("{} requests that waited or ran were stopped", records.stopped);
    Err(anyhow::Error::from(signal).context(stopped))
}
