//! How often cells are measured.

use std::time::Duration;

use lumos_model::units::Span;

use crate::check;
use crate::reader::{Node, Problems, Table, number, quantity};
use crate::scenario::Sampling;

const REPETITIONS: u32 = 10;
const WARMUP: u32 = 3;
const GAP: Span = Span(Duration::from_millis(100));

/// The keys at the top that say how often cells are measured.
pub(super) struct Samples {
    pub(super) all: Sampling,
    pub(super) warm: Sampling,
    pub(super) warmup: u32,
    pub(super) gap: Span,
    pub(super) budget: Option<Span>,
}

/// `None` if the table `[warm]` cannot be read.
pub(super) fn samples(root: &mut Table<'_>, problems: &mut Problems) -> Option<Samples> {
    let all = sampling(root, REPETITIONS, problems);
    let warm = match root.get("warm") {
        Some(node) => warm(node, all.repetitions, problems),
        None => Some(all),
    };
    let warmup = count(root, "warmup", 0, WARMUP, problems);
    let gap = root.get("gap").and_then(|node| quantity(node, problems)).unwrap_or(GAP);
    let budget = root.get("budget").and_then(|node| quantity(node, problems));
    Some(Samples { all, warm: warm?, warmup, gap, budget })
}

/// `[warm]`: its defaults are the values of the other cells.
fn warm(node: Node<'_>, repetitions: u32, problems: &mut Problems) -> Option<Sampling> {
    let mut table = Table::of(node, "[warm]", problems)?;
    let warm = sampling(&mut table, repetitions, problems);
    table.finish(problems);
    Some(warm)
}

fn sampling(table: &mut Table<'_>, default: u32, problems: &mut Problems) -> Sampling {
    let repetitions = count(table, "repetitions", 1, default, problems);
    let block = count(table, "block", 1, repetitions, problems);
    check::block(table.get("block"), block, repetitions, problems);
    Sampling { repetitions, block }
}

fn count(
    table: &mut Table<'_>,
    key: &'static str,
    least: u32,
    default: u32,
    problems: &mut Problems,
) -> u32 {
    table.get(key).and_then(|node| number(node, least, problems)).unwrap_or(default)
}
