//! Rows of a block.

use lumos_model::SCHEMA;
use lumos_model::cell::Start;
use lumos_model::row::{Outcome, Row, Sample, Taint, Times};
use lumos_scenario::plan::Block;

use crate::hosts::ClientError;

/// The rows of `samples`, which were taken while the machine had `taints`.
pub(super) fn rows(block: &Block, samples: Vec<Sample>, taints: &[Taint]) -> Vec<Row> {
    let row = |sample| Row {
        schema: SCHEMA,
        cell: block.cell.clone(),
        block: block.block,
        order: block.order,
        control: block.control,
        taints: taints.to_vec(),
        sample,
    };
    samples.into_iter().map(row).collect()
}

/// The sample of an invocation whose host failed.
pub fn failed_sample(start: Start, error: &ClientError) -> Sample {
    let outcome = match error {
        ClientError::OutOfMemory { .. } => Outcome::OutOfMemory,
        _ => Outcome::Error,
    };
    let times = Times { intended_ns: lumos_os::clock::monotonic_ns(), total_ns: 0 };
    Sample { error: Some(error.to_string()), ..Sample::unserved(0, start, outcome, times) }
}
