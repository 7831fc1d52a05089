//! What a reader must know of the tables of load.

use lumos_analysis::summary::Summary;

use super::cell::LoadCell;
use crate::lists::joined;
use crate::names::load_name;
use crate::numbers::{per_second, percent};

/// Cells that a line names.
const MOST_CELLS: usize = 1;

/// How to read the tables, a line each.
pub(crate) fn notes(summary: &Summary) -> Vec<String> {
    let cells = LoadCell::all(summary);
    if cells.is_empty() {
        return Vec::new();
    }
    let mut notes = vec![
        "latency: from the intended arrival to the response, of requests with a good response; in \
         queue: until an instance was assigned, including late sending; service: the rest, \
         including cold starts and, with HTTP, the platform's part"
            .to_owned(),
        "throughput: the median over the blocks, each from the first intended arrival to the last \
         one or to the last good response; \"of native\": the ratio of the blocks' median latencies"
            .to_owned(),
    ];
    if cells.iter().any(|of| of.point.traffic.arrival.is_closed()) {
        notes.push(
            "in a closed loop clients wait for responses, so its latencies say nothing about \
             requests that would have arrived in the meantime"
                .to_owned(),
        );
    }
    notes.extend(cells.iter().filter_map(control));
    let capped = with_blocks(&cells, |of| of.numbers.capped_blocks);
    if !capped.is_empty() {
        notes.push(format!("ended by the cap of requests: {}", joined(&capped, MOST_CELLS, ", ")));
    }
    notes
}

/// Reasons to doubt the numbers, a line each.
pub(crate) fn cautions(summary: &Summary) -> Vec<String> {
    let disagreeing = with_blocks(&LoadCell::all(summary), |of| of.numbers.disagreeing_blocks);
    if disagreeing.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "client and gateway disagree about the requests, see telemetry.jsonl: {}",
        joined(&disagreeing, MOST_CELLS, ", ")
    )]
}

/// The throughput of a control pair.
fn control(of: &LoadCell) -> Option<String> {
    let (own, control) = (of.numbers.throughput?, of.numbers.control_throughput?);
    Some(format!(
        "control pair, {}: {} and {} responses per second ({} apart)",
        load_name(of.cell(), of.point),
        per_second(own.median),
        per_second(control.median),
        percent((control.median / own.median - 1.0).abs())
    ))
}

/// The cells with blocks of a kind: `native noop .. (2 of 3 blocks)`.
fn with_blocks(cells: &[LoadCell], count: impl Fn(&LoadCell) -> usize) -> Vec<String> {
    let with = cells.iter().filter(|of| count(of) > 0);
    with.map(|of| {
        let name = load_name(of.cell(), of.point);
        format!("{name} ({} of {} blocks)", count(of), of.summary.blocks)
    })
    .collect()
}
