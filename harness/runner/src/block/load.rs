//! A block of a cell under load: one period of traffic, on a pool that starts empty.

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

use super::attempt::Attempt;
use super::join::join;
use crate::hosts::{ClientError, HostClient};
use crate::interrupt;
use crate::session::{Preparation, Session};

/// Connections in addition to the requests that the pool accepts: for those that it rejects.
const SPARE_CONNECTIONS: u32 = 64;
/// How long after a request's deadline the client still waits: the gateway's answer says where
/// the request was at its deadline.
const GRACE: Duration = Duration::from_millis(500);
/// Multiplier that spreads the seeds of blocks over all 64 bits: 2^64 divided by the golden
/// ratio (Knuth, The Art of Computer Programming, volume 3, section 6.4).
const SEED_STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// Where the blocks under load of a run take their traffic from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrafficSource<'a> {
    /// The scenario's settings of load.
    pub(crate) settings: &'a LoadSettings,
    /// The run's copy of the recorded arrivals, if there are any.
    pub(crate) trace: Option<&'a Path>,
    /// Seed of the random arrivals.
    pub(crate) seed: u64,
}

/// Measures one period of load.
pub(super) fn attempt(
    session: &Session,
    block: &Block,
    point: &LoadPoint,
    source: &TrafficSource,
) -> Result<Attempt, ClientError> {
    raise_file_limit();
    let prepare = session.prepare(Preparation::of(&block.cell));
    let prepare = prepare.map_err(|error| ClientError::Refused(format!("{error:#}")))?;
    let pool = source.settings.pool_of(point);
    let function = Pooled { name: block.cell.function.clone(), prepare, pool, reserve: false };
    let traffic = match source.trace {
        Some(trace) => traffic_from(&point.traffic, trace),
        None => point.traffic.clone(),
    };
    let mut host = session.start_host(&block.cell)?;
    let seed = block_seed(source.seed, block.block);
    let period = Period { function, traffic, seed, settings: source.settings };
    let (records, pool) = match point.driver {
        Driver::Direct => period.drive_directly(&mut host)?,
        Driver::Http => period.drive_over_http(&mut host)?,
    };
    let PoolRecords { samples, instances, host: usage, .. } = records;
    Ok(Attempt { samples, instances, host: usage, host_cgroup: host.counters(), pool: Some(pool) })
}

/// The seed of a block's arrivals. They differ between the blocks of a cell; block k has the same
/// arrivals in every cell.
fn block_seed(seed: u64, block: u32) -> u64 {
    seed.wrapping_add(u64::from(block).wrapping_mul(SEED_STEP))
}

/// One period of load.
struct Period<'a> {
    function: Pooled,
    traffic: Traffic,
    seed: u64,
    settings: &'a LoadSettings,
}

impl Period<'_> {
    fn timeout(&self) -> Duration {
        self.function.prepare.limits.timeout.0
    }

    /// The host drives the pool from inside.
    fn drive_directly(
        self,
        host: &mut HostClient,
    ) -> Result<(PoolRecords, PoolTelemetry), ClientError> {
        let LoadSettings { duration, requests, .. } = *self.settings;
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

    /// A client in this process sends requests to the host's gateway.
    fn drive_over_http(
        self,
        host: &mut HostClient,
    ) -> Result<(PoolRecords, PoolTelemetry), ClientError> {
        let timeout = self.timeout();
        let address = self.open_gateway(host)?;
        let mut sent: Vec<Record> = Vec::new();
        let report = self.send(address, &mut |record| sent.push(*record));
        interrupt::check()?;
        let report = report.map_err(ClientError::Refused)?;
        let mut records = host.drain(Span(timeout))?;
        let (mut samples, agreement) =
            join(&sent, std::mem::take(&mut records.samples), records.lost);
        samples.iter_mut().for_each(|sample| check_deadline(sample, timeout));
        let last = sent.iter().map(|record| record.ended_ns).max();
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

    fn open_gateway(&self, host: &mut HostClient) -> Result<SocketAddr, ClientError> {
        let (address, _) = host.serve(Serve {
            functions: vec![self.function.clone()],
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            http: HttpLimits { connections: self.connections(), ..HttpLimits::default() },
            stay_awake: Span(Duration::ZERO),
            records: self.settings.requests,
        })?;
        Ok(address)
    }

    fn send(
        &self,
        address: SocketAddr,
        on_record: &mut (dyn FnMut(&Record) + Send),
    ) -> Result<http::Report, String> {
        let LoadSettings { duration, requests, .. } = *self.settings;
        let path = format!("/{}", self.function.name);
        let path = path.parse().map_err(|error| format!("{path}: {error}"))?;
        let body = self.function.prepare.request.clone().into_bytes();
        let target =
            http::Target { method: ::http::Method::POST, body, ..http::Target::new(address, path) };
        let options = LoadOptions {
            timeout: self.timeout() + GRACE,
            connections: self.connections(),
            requests: Some(requests.into()),
            numbered: true,
            hash_bodies: true,
            stop: Some(interrupt::flag()),
            ..LoadOptions::default()
        };
        // In a thread of its own: the client changes the timer slack and the priority of its
        // thread.
        let sent = std::thread::scope(|scope| {
            let client = || {
                let (traffic, seed) = (&self.traffic, self.seed);
                http::run(&target, traffic, seed, duration.0, &options, on_record)
            };
            scope.spawn(client).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        sent.map_err(|error| error.to_string())
    }

    /// Connections for all requests that the pool accepts at a time, so that none waits in the
    /// client for another's connection.
    fn connections(&self) -> u32 {
        connections(&self.function.pool, &self.traffic)
    }
}

/// Adds the facts that samples and events hold about the pool.
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

/// Counts a good answer after the request's deadline as a timeout.
fn check_deadline(sample: &mut Sample, timeout: Duration) {
    if sample.outcome == Outcome::Ok && u128::from(sample.total_ns) > timeout.as_nanos() {
        sample.outcome = Outcome::Timeout;
        sample.error = Some(format!("answered after its deadline of {}", Span(timeout)));
        (sample.output_bytes, sample.output_sha256) = (None, None);
    }
}

/// The largest number of instances at one time.
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

fn connections(pool: &PoolConfig, traffic: &Traffic) -> u32 {
    match traffic.arrival {
        Arrival::Closed { concurrency } => concurrency.saturating_add(SPARE_CONNECTIONS),
        _ => pool.max_instances.saturating_add(pool.queue).saturating_add(SPARE_CONNECTIONS),
    }
}

/// Raises the limit on open files, once. Each connection is an open file, and the usual 1,024 are
/// too few. Hosts that start later inherit the limit.
fn raise_file_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Without it some connections fail, and their requests are rows that say so.
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
    fn an_instance_counts_from_its_request_to_its_end() {
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
    fn each_block_has_a_seed_of_its_own() {
        assert_eq!(block_seed(42, 0), 42);
        let seeds: BTreeSet<u64> = (0..100).map(|block| block_seed(42, block)).collect();
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
