//! A block of a cell under load: one period, with instances of its own, from zero.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use lumos_load::http::{self, LoadOptions, Record};
use lumos_model::arrival::{Arrival, Traffic};
use lumos_model::cell::{Driver, LoadPoint};
use lumos_model::pool::{InstanceState, PoolConfig, PoolEvent};
use lumos_model::protocol::{HttpLimits, Load, PoolRecords, Pooled, Serve};
use lumos_model::row::{Outcome, Sample};
use lumos_model::telemetry::PoolTelemetry;
use lumos_model::units::Span;
use lumos_scenario::plan::Block;
use lumos_scenario::scenario::{LoadSettings, traffic_from};

use super::Attempt;
use super::join::join;
use crate::host_client::{ClientError, HostClient};
use crate::interrupt;
use crate::session::Session;

/// Connections beyond the requests that the pool takes: for those that it rejects.
const SPARE_CONNECTIONS: u32 = 64;
/// What the client allows beyond a request's deadline, so that the gateway's answer, which
/// says where it was, can still come.
const GRACE: Duration = Duration::from_millis(500);

/// What all blocks under load of a run share.
#[derive(Clone, Copy, Debug)]
pub struct Period<'a> {
    /// What the scenario says.
    pub settings: &'a LoadSettings,
    /// The run's copy of the recorded arrivals, if there are any.
    pub trace: Option<&'a Path>,
    /// Seed of what is random in the arrivals.
    pub seed: u64,
}

/// Measures one period.
///
/// # Errors
/// When the host refuses, dies, or is ended.
pub(super) fn attempt(
    session: &Session,
    block: &Block,
    point: &LoadPoint,
    period: &Period,
) -> Result<Attempt, ClientError> {
    raise_file_limit();
    let prepare = session.prepare(&block.cell);
    let prepare = prepare.map_err(|error| ClientError::Refused(format!("{error:#}")))?;
    let pool = period.settings.pool_of(point);
    let function = Pooled { name: block.cell.function.clone(), prepare, pool, reserve: false };
    let traffic = match period.trace {
        Some(trace) => traffic_from(&point.traffic, trace),
        None => point.traffic.clone(),
    };
    let mut host = session.start_host(&block.cell)?;
    let sending = Sending { function, traffic, seed: seed(period.seed, block.block), period };
    let (records, pool) = match point.driver {
        Driver::Direct => sending.direct(&mut host)?,
        Driver::Http => sending.http(&mut host)?,
    };
    let PoolRecords { samples, instances, host: usage, .. } = records;
    Ok(Attempt { samples, instances, host: usage, host_cgroup: host.counters(), pool: Some(pool) })
}

/// Each block of a cell has arrivals of its own; block k of all cells has the same ones.
fn seed(seed: u64, block: u32) -> u64 {
    seed.wrapping_add(u64::from(block).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// A load on its way.
struct Sending<'a> {
    function: Pooled,
    traffic: Traffic,
    seed: u64,
    period: &'a Period<'a>,
}

impl Sending<'_> {
    fn timeout(&self) -> Duration {
        self.function.prepare.limits.timeout.0
    }

    fn direct(self, host: &mut HostClient) -> Result<(PoolRecords, PoolTelemetry), ClientError> {
        let LoadSettings { duration, requests, .. } = *self.period.settings;
        let bound = duration.0 + self.timeout();
        let Self { function, traffic, seed, .. } = self;
        let result = host.load(Load { function, traffic, seed, duration, requests }, bound)?;
        let mut records = result.records;
        records.samples.sort_by_key(|sample| sample.seq);
        let pool = PoolTelemetry {
            begin_ns: result.begin_ns,
            end_ns: result.end_ns,
            requests: records.samples.len() as u64,
            capped: result.capped,
            raised_priority: result.raised_priority,
            lost: records.lost,
            ..PoolTelemetry::default()
        };
        let pool = describe(pool, &records.samples, std::mem::take(&mut records.events));
        Ok((records, pool))
    }

    fn http(self, host: &mut HostClient) -> Result<(PoolRecords, PoolTelemetry), ClientError> {
        let LoadSettings { duration, requests, .. } = *self.period.settings;
        let timeout = self.timeout();
        let connections = connections(&self.function.pool, &self.traffic);
        let body = self.function.prepare.request.clone().into_bytes();
        let path = format!("/{}", self.function.name);
        let (address, _) = host.serve(Serve {
            functions: vec![self.function],
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            http: HttpLimits { connections, ..HttpLimits::default() },
            stay_awake: Span(Duration::ZERO),
            records: requests,
        })?;
        let refused = |error: &dyn std::fmt::Display| ClientError::Refused(error.to_string());
        let path = path.parse().map_err(|error| refused(&error))?;
        let target =
            http::Target { method: ::http::Method::POST, body, ..http::Target::new(address, path) };
        let options = LoadOptions {
            timeout: timeout + GRACE,
            connections,
            requests: Some(requests.into()),
            numbered: true,
            hash_bodies: true,
            stop: Some(interrupt::flag()),
            ..LoadOptions::default()
        };
        let mut accounts: Vec<Record> = Vec::new();
        let mut keep = |record: &Record| accounts.push(*record);
        // In a thread of its own, whose timer slack it may change.
        let sent = std::thread::scope(|scope| {
            let client = scope.spawn(|| {
                http::run(&target, &self.traffic, self.seed, duration.0, &options, &mut keep)
            });
            client.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        interrupt::check()?;
        let report = sent.map_err(|error| refused(&error))?;
        let mut records = host.drain(Span(timeout))?;
        let (mut samples, agreement) =
            join(&accounts, std::mem::take(&mut records.samples), records.lost);
        samples.iter_mut().for_each(|sample| check_deadline(sample, timeout));
        let last = accounts.iter().map(|record| record.ended_ns).max();
        let pool = PoolTelemetry {
            begin_ns: report.begin_ns,
            end_ns: last.unwrap_or(report.begin_ns),
            requests: report.requests,
            capped: report.capped,
            raised_priority: report.raised_priority,
            lost: records.lost,
            agreement: Some(agreement),
            ..PoolTelemetry::default()
        };
        let pool = describe(pool, &samples, std::mem::take(&mut records.events));
        records.samples = samples;
        Ok((records, pool))
    }
}

/// Adds what samples and events say of the pool.
fn describe(mut pool: PoolTelemetry, samples: &[Sample], events: Vec<PoolEvent>) -> PoolTelemetry {
    let late = samples.iter().filter_map(|sample| sample.late_ns);
    if let Ok(late) = lumos_stats::Samples::from_nanos(late) {
        let at = |percentile| late.percentile(percentile).round() as u64;
        pool.late_p50_ns = Some(at(lumos_stats::Percentile::MEDIAN));
        pool.late_p99_ns = Some(at(lumos_stats::Percentile::P99));
    }
    pool.peak_instances = peak(&events);
    pool.events = events;
    pool
}

/// A good answer that comes after the request's deadline comes too late.
fn check_deadline(sample: &mut Sample, timeout: Duration) {
    if sample.outcome == Outcome::Ok && u128::from(sample.total_ns) > timeout.as_nanos() {
        sample.outcome = Outcome::Timeout;
        sample.error = Some(format!("answered after its deadline of {}", Span(timeout)));
        (sample.output_bytes, sample.output_sha256) = (None, None);
    }
}

/// The most instances that there were at one time.
fn peak(events: &[PoolEvent]) -> u32 {
    let mut alive = BTreeSet::new();
    let mut peak = 0;
    for event in events {
        match event.state {
            InstanceState::Reclaimed | InstanceState::Failed => alive.remove(&event.instance),
            _ => alive.insert(event.instance),
        };
        peak = peak.max(alive.len());
    }
    peak as u32
}

/// Enough for all requests that the pool takes at one time, so that none has to wait in the
/// client for another's connection.
fn connections(pool: &PoolConfig, traffic: &Traffic) -> u32 {
    match traffic.arrival {
        Arrival::Closed { concurrency } => concurrency.saturating_add(SPARE_CONNECTIONS),
        _ => pool.max_instances.saturating_add(pool.queue).saturating_add(SPARE_CONNECTIONS),
    }
}

/// A connection is an open file, and the usual 1,024 are too few. Hosts that are started
/// later inherit it.
fn raise_file_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // With fewer files connections are refused, and those are rows.
        if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
            && soft < hard
        {
            let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_counts_instances_from_their_request_to_their_end() {
        use InstanceState::{Busy, Failed, Idle, Ready, Reclaimed, Requested};

        let event = |(at_ns, (instance, state)): (usize, &(u32, InstanceState))| PoolEvent {
            at_ns: at_ns as u64,
            instance: *instance,
            state: *state,
        };
        let peak_of = |states: &[(u32, InstanceState)]| {
            peak(&states.iter().enumerate().map(event).collect::<Vec<_>>())
        };
        assert_eq!(peak_of(&[]), 0);
        assert_eq!(peak_of(&[(0, Requested), (0, Ready), (0, Busy), (0, Idle), (0, Reclaimed)]), 1);
        let states = [(0, Requested), (1, Requested), (1, Failed), (2, Requested), (0, Reclaimed)];
        assert_eq!(peak_of(&states), 2);
    }

    #[test]
    fn blocks_differ_in_their_arrivals_and_cells_do_not() {
        assert_eq!(seed(42, 0), 42);
        let seeds: BTreeSet<u64> = (0..100).map(|block| seed(42, block)).collect();
        assert_eq!(seeds.len(), 100);
    }

    #[test]
    fn no_request_waits_for_a_connection_of_another() {
        let pool = PoolConfig { max_instances: 8, queue: 100, ..PoolConfig::default() };
        let traffic = |arrival| Traffic { arrival, delayed: None };
        let closed = traffic(Arrival::Closed { concurrency: 200 });
        assert_eq!(connections(&pool, &closed), 200 + 64);
        let rate = lumos_model::arrival::Rate::new(5.0).unwrap();
        assert_eq!(connections(&pool, &traffic(Arrival::Poisson { rate })), 8 + 100 + 64);
    }
}
