//! A block of a cell that is not under load: samples one after the other.

use lumos_model::cell::Cell;
use lumos_model::protocol::Prepare;
use lumos_model::row::Sample;
use lumos_model::units::Span;
use lumos_scenario::plan::Block;

use super::attempt::Attempt;
use crate::hosts::{BlockRequest, ClientError, Outputs};
use crate::session::{Preparation, Session};

/// Measures the samples of `block`, in a host of its own.
pub(super) fn attempt(
    session: &Session,
    block: &Block,
    budget: Option<Span>,
) -> Result<Attempt, ClientError> {
    let prepare = session.prepare(Preparation::of(&block.cell));
    let prepare = prepare.map_err(|error| ClientError::Refused(format!("{error:#}")))?;
    let mut host = session.start_host(&block.cell)?;
    host.prepare(prepare)?;
    let result = host.block(BlockRequest {
        samples: block.samples,
        outputs: Outputs::Hashed,
        budget,
        sample_bound: session.sample_bound(),
    })?;
    Ok(Attempt {
        samples: result.samples,
        instances: result.instances,
        host: result.host,
        host_cgroup: host.counters(),
        pool: None,
    })
}

/// Invokes `cell` once, in a host of its own; the sample has the output.
///
/// # Errors
/// When the host refuses, dies, or is stopped by a signal.
pub fn once(session: &Session, cell: &Cell, prepare: Prepare) -> Result<Sample, ClientError> {
    let mut host = session.start_host(cell)?;
    host.prepare(prepare)?;
    let result = host.block(BlockRequest {
        samples: 1,
        outputs: Outputs::Returned,
        budget: None,
        sample_bound: session.sample_bound(),
    })?;
    let sample = result.samples.into_iter().next();
    sample.ok_or_else(|| ClientError::Refused("the host returned no sample".to_owned()))
}
