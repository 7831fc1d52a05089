//! One block: a host in a control group of its own, and one cell, for a few samples or a period
//! of load.
//!
//! | module | content |
//! |---|---|
//! | `attempt` | what a host made of a block |
//! | `each` | samples one after the other |
//! | `load` | a period of load |
//! | `join` | the client's and the gateway's records of a request, as one |
//! | `rows` | rows from samples, and the row of a block that failed |

mod attempt;
mod each;
mod join;
mod load;
mod rows;

use std::time::{Duration, Instant};

use lumos_model::SCHEMA;
use lumos_model::health::BlockHealth;
use lumos_model::row::Row;
use lumos_model::telemetry::BlockTelemetry;
use lumos_model::units::Span;
use lumos_os::machine::{Health, Probe};
use lumos_scenario::plan::Block;

use self::attempt::Attempt;
pub use self::each::once;
pub(crate) use self::load::TrafficSource;
pub use self::rows::failed_sample;
use crate::hosts::ClientError;
use crate::interrupt::Interrupted;
use crate::observer::Observer;
use crate::session::Session;

/// What applies to every block of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockSettings<'a> {
    /// Time after which no further sample of a block starts.
    pub(crate) budget: Option<Span>,
    /// Where blocks under load take their traffic from.
    pub(crate) traffic: Option<TrafficSource<'a>>,
}

/// What came of a block. A block that could not be measured has a row too.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Its rows.
    pub(crate) rows: Vec<Row>,
    /// The line of telemetry that completes it.
    pub(crate) telemetry: BlockTelemetry,
}

/// Measures `block`. A host returns samples at the end of a block, so those of a host that dies
/// are lost: the block is then measured once more, and has failed when that host dies too.
///
/// # Errors
/// When a signal asks the command to end.
pub(crate) fn measure(
    session: &Session,
    block: &Block,
    settings: &BlockSettings,
    probe: &Probe,
    observer: &dyn Observer,
) -> Result<Measured, Interrupted> {
    let begin = Instant::now();
    let try_once = || watched(probe, || attempt(session, block, settings));
    let (mut result, mut health) = try_once();
    let mut lost = None;
    if let Err(error @ ClientError::Gone { .. }) = &result {
        observer.warn(&format!("{}: {error}; its block is measured again", block.cell));
        lost = Some(error.to_string());
        (result, health) = try_once();
    }
    let (attempt, error) = match result {
        Ok(attempt) => (attempt, None),
        Err(ClientError::Interrupted(interrupted)) => return Err(interrupted),
        Err(error) => (failed(block, &error), Some(error.to_string())),
    };
    let fault = attempt.fault();
    for problem in error.iter().chain(&fault) {
        observer.warn(&format!("{}: {problem}", block.cell));
    }
    let end = End { wall: begin.elapsed(), lost, error, health };
    Ok(measured(block, attempt, end))
}

/// What is known about a block apart from what its host made of it.
struct End {
    wall: Duration,
    /// What ended the host of a first attempt.
    lost: Option<String>,
    /// Why the block could not be measured.
    error: Option<String>,
    health: BlockHealth,
}

fn measured(block: &Block, attempt: Attempt, end: End) -> Measured {
    let End { wall, lost, error, health } = end;
    let taints = health.taints();
    let rows = rows::rows(block, attempt.samples, &taints);
    let telemetry = BlockTelemetry {
        schema: SCHEMA,
        cell: block.cell.clone(),
        block: block.block,
        order: block.order,
        control: block.control,
        rows: rows.len() as u32,
        wall_ms: wall.as_millis() as u64,
        lost,
        error,
        instances: attempt.instances,
        host: attempt.host,
        host_cgroup: attempt.host_cgroup,
        health,
        taints,
        pool: attempt.pool,
    };
    Measured { rows, telemetry }
}

/// Reads the machine's health before the host of `work` starts, and after it has ended.
fn watched<T>(probe: &Probe, work: impl FnOnce() -> T) -> (T, BlockHealth) {
    let before = probe.read();
    let done = work();
    (done, Health::between(&before, &probe.read()))
}

fn attempt(
    session: &Session,
    block: &Block,
    settings: &BlockSettings,
) -> Result<Attempt, ClientError> {
    match (block.cell.load(), &settings.traffic) {
        (Some(point), Some(source)) => load::attempt(session, block, point, source),
        _ => each::attempt(session, block, settings.budget),
    }
}

/// A block that could not be measured is a failure of its cell, not a gap in the rows.
fn failed(block: &Block, error: &ClientError) -> Attempt {
    let samples = vec![failed_sample(block.cell.start(), error)];
    Attempt { samples, ..Attempt::default() }
}
