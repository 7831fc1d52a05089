//! What must be said beside the tables of load.

use lumos_analysis::summary::Summary;
use lumos_analysis::summary::load::LoadSummary;
use lumos_model::cell::{Cell, LoadPoint};

use super::per_second;
use crate::numbers::percent;

/// What a reader must know of the tables, a line each.
pub fn notes(summary: &Summary) -> Vec<String> {
    if summary.load.is_empty() {
        return Vec::new();
    }
    let mut notes = vec![
        "latency runs from the intended arrival to the response, of requests that were answered \
         well; in queue: until an instance was assigned, with the lateness of the sending; service: \
         the rest, a cold start and with HTTP the platform's part among it"
            .to_owned(),
        "throughput is the median over the blocks, each from the first intended arrival to the last \
         one or to the last good response; \"of native\" compares the blocks' median latencies"
            .to_owned(),
    ];
    let any = |is: fn(&LoadSummary) -> bool| summary.load.iter().any(is);
    if any(|load| load.point().traffic.arrival.is_closed()) {
        notes.push(
            "in a closed loop clients wait for responses, so its latencies say nothing of requests \
             that would have come meanwhile"
                .to_owned(),
        );
    }
    notes.extend(summary.load.iter().filter_map(control));
    let capped: Vec<String> = counted(summary, |load| load.capped_blocks);
    if !capped.is_empty() {
        notes.push(format!("ended by the cap of requests: {}", few(&capped)));
    }
    notes
}

/// What makes a load's numbers doubtful, a line each.
pub fn cautions(summary: &Summary) -> Vec<String> {
    let disagree = counted(summary, |load| load.disagreeing_blocks);
    if disagree.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "client and gateway disagree on what happened, see telemetry.jsonl: {}",
        few(&disagree)
    )]
}

/// The throughput of the control pair.
fn control(load: &LoadSummary) -> Option<String> {
    let (own, control) = (load.throughput?, load.control_throughput?);
    Some(format!(
        "control pair, {}: {} and {} responses a second ({} apart)",
        name(load),
        per_second(own.median),
        per_second(control.median),
        percent((control.median / own.median - 1.0).abs())
    ))
}

/// Cells with blocks of a kind: `noop/.. 2 of 3 blocks`.
fn counted(summary: &Summary, count: impl Fn(&LoadSummary) -> usize) -> Vec<String> {
    let some = summary.load.iter().filter(|load| count(load) > 0);
    some.map(|load| format!("{} ({} of {} blocks)", name(load), count(load), load.blocks)).collect()
}

/// A cell in words that can be wrapped: `native noop tiny process direct closed-4 kept 1s`.
fn name(load: &LoadSummary) -> String {
    let Cell { function, size, target, isolation, .. } = &load.cell;
    let LoadPoint { driver, traffic, keep_alive } = load.point();
    format!("{target} {function} {size} {isolation} {driver} {traffic} kept {keep_alive}")
}

/// The first of `lines`, and how many there are.
fn few(lines: &[String]) -> String {
    match lines {
        [] => String::new(),
        [only] => only.clone(),
        [first, _] => format!("{first} and another cell"),
        [first, rest @ ..] => format!("{first} and {} other cells", rest.len()),
    }
}
