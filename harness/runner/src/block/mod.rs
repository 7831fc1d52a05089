//! One block: a host in a cgroup of its own, one cell, a few samples or a period of load.

pub mod join;
pub mod load;

use std::time::Instant;

use load::Period;
use lumos_model::SCHEMA;
use lumos_model::cell::{Cell, Start};
use lumos_model::counters::Counters;
use lumos_model::health::BlockHealth;
use lumos_model::protocol::Prepare;
use lumos_model::row::{Outcome, Row, Sample, Times};
use lumos_model::telemetry::{Agreement, BlockTelemetry, PoolTelemetry};
use lumos_model::units::Span;
use lumos_os::machine::{Health, Probe};
use lumos_scenario::plan::Block;

use crate::host_client::ClientError;
use crate::interrupt::Interrupted;
use crate::session::Session;

/// What holds for every block of a run.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Time after which a block takes no further sample.
    pub budget: Option<Span>,
    /// What blocks of cells under load do.
    pub load: Option<Period<'a>>,
}

/// What a host made of a block.
#[derive(Debug, Default)]
struct Attempt {
    samples: Vec<Sample>,
    instances: Vec<Counters>,
    host: Counters,
    host_cgroup: Option<Counters>,
    pool: Option<PoolTelemetry>,
}

/// What came of a block: it has rows even when it could not be measured.
#[derive(Debug)]
pub struct Measured {
    /// Its rows.
    pub rows: Vec<Row>,
    /// The line that completes them.
    pub telemetry: BlockTelemetry,
}

/// Measures `block`. Rows leave a host when its block is over; so, when a host dies, the
/// block is measured once more, and when that one dies too, it has failed.
///
/// # Errors
/// When somebody wants the command to end.
pub fn measure(
    session: &Session,
    block: &Block,
    terms: &Terms,
    probe: &Probe,
    warn: impl Fn(&str),
) -> Result<Measured, Interrupted> {
    let begin = Instant::now();
    let (mut attempt, mut health) = watched(probe, || attempt(session, block, terms));
    let mut lost = None;
    if let Err(ClientError::Gone { .. }) = &attempt
        && let Err(error) = attempt
    {
        warn(&format!("{}: {error}; its block is measured again", block.cell));
        lost = Some(error.to_string());
        (attempt, health) = watched(probe, || self::attempt(session, block, terms));
    }
    let (mut rows, attempt, error) = match attempt {
        Ok(mut attempt) => {
            let samples = std::mem::take(&mut attempt.samples);
            (rows_of(block, samples), attempt, None)
        }
        Err(ClientError::Interrupted(interrupted)) => return Err(interrupted),
        Err(error) => {
            warn(&format!("{}: {error}", block.cell));
            (vec![failed_row(block, &error)], Attempt::default(), Some(error.to_string()))
        }
    };
    let agreement = attempt.pool.as_ref().and_then(|pool| pool.agreement.as_ref());
    if let Some(fault) = agreement.and_then(Agreement::fault) {
        warn(&format!("{}: {fault}", block.cell));
    }
    let taints = health.taints();
    rows.iter_mut().for_each(|row| row.taints = taints.clone());
    let telemetry = BlockTelemetry {
        schema: SCHEMA,
        cell: block.cell.clone(),
        block: block.block,
        order: block.order,
        control: block.control,
        rows: rows.len() as u32,
        wall_ms: begin.elapsed().as_millis() as u64,
        lost,
        error,
        instances: attempt.instances,
        host: attempt.host,
        host_cgroup: attempt.host_cgroup,
        health,
        taints,
        pool: attempt.pool,
    };
    Ok(Measured { rows, telemetry })
}

/// The machine's health is read before the host starts and after it has ended.
fn watched<T>(probe: &Probe, work: impl FnOnce() -> T) -> (T, BlockHealth) {
    let before = probe.read();
    let done = work();
    (done, Health::between(&before, &probe.read()))
}

fn attempt(session: &Session, block: &Block, terms: &Terms) -> Result<Attempt, ClientError> {
    if let (Some(point), Some(period)) = (block.cell.load(), &terms.load) {
        return load::attempt(session, block, point, period);
    }
    let prepare = session.prepare(&block.cell);
    let prepare = prepare.map_err(|error| ClientError::Refused(format!("{error:#}")))?;
    let mut host = session.start_host(&block.cell)?;
    host.prepare(prepare)?;
    let result = host.block(block.samples, false, terms.budget, session.sample_bound())?;
    Ok(Attempt {
        samples: result.samples,
        instances: result.instances,
        host: result.host,
        host_cgroup: host.counters(),
        pool: None,
    })
}

/// One invocation of `cell`, with its output, by a host of its own.
///
/// # Errors
/// When the host refuses, dies, or is ended.
pub fn once(session: &Session, cell: &Cell, prepare: Prepare) -> Result<Sample, ClientError> {
    let mut host = session.start_host(cell)?;
    host.prepare(prepare)?;
    let block = host.block(1, true, None, session.sample_bound())?;
    let sample = block.samples.into_iter().next();
    sample.ok_or_else(|| ClientError::Refused("the host measured nothing".to_owned()))
}

/// A block that could not be measured is a failure of its cell, not a gap in the rows.
fn failed_row(block: &Block, error: &ClientError) -> Row {
    rows_of(block, vec![failed_sample(block.cell.start(), error)]).remove(0)
}

/// What stands for an invocation that no host came back from.
pub fn failed_sample(start: Start, error: &ClientError) -> Sample {
    let outcome = match error {
        ClientError::OutOfMemory { .. } => Outcome::OutOfMemory,
        _ => Outcome::Error,
    };
    let times = Times { intended_ns: lumos_os::clock::monotonic_ns(), total_ns: 0 };
    Sample { error: Some(error.to_string()), ..Sample::unserved(0, start, outcome, times) }
}

/// Rows of a block from its samples.
fn rows_of(block: &Block, samples: Vec<Sample>) -> Vec<Row> {
    let row = |sample| Row {
        schema: SCHEMA,
        cell: block.cell.clone(),
        block: block.block,
        order: block.order,
        control: block.control,
        taints: Vec::new(),
        sample,
    };
    samples.into_iter().map(row).collect()
}
