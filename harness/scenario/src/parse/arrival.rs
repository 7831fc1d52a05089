//! `[arrival]`: how requests arrive.

use std::ops::Range;
use std::path::{Path, PathBuf};

use lumos_model::arrival::{Arrival, Delayed, Factor, Rate, Share, Traffic};
use lumos_model::units::Span;

use crate::error::Problem;
use crate::reader::{
    Node, Problems, Table, decimal, list, not_negative, number, one_of, one_or_more, positive,
    quantity, text,
};
use crate::trace_file;

lumos_model::words! {
    /// The kinds of [`Arrival`].
    Kind, "kind of arrival" {
        Closed = "closed",
        Constant = "constant",
        Poisson = "poisson",
        Burst = "burst",
        Ramp = "ramp",
        Steps = "steps",
        Trace = "trace",
    }
}

/// Reads `[arrival]`: one traffic, or one for each value of its list. With a `folder`, recorded
/// arrivals must be there.
pub(super) fn traffic(
    node: Node<'_>,
    folder: Option<&Path>,
    problems: &mut Problems,
) -> Option<Vec<Traffic>> {
    let mut table = Table::of(node, "[arrival]", problems)?;
    let kind = table
        .require("kind", "\"closed\"")
        .and_then(|node| one_of(node, "kind of arrival", Kind::ALL, problems));
    let Some(kind) = kind else {
        table.finish_incomplete(problems);
        return None;
    };
    table.rename(format!("an arrival of kind \"{kind}\""));
    let arrivals = arrivals(kind, &mut table, folder, problems);
    let delayed = match table.get("delayed") {
        Some(node) => delayed(node, problems).map(Some),
        None => Some(None),
    };
    table.finish(problems);
    let (arrivals, delayed) = (arrivals?, delayed?);
    Some(arrivals.into_iter().map(|arrival| Traffic { arrival, delayed }).collect())
}

fn arrivals(
    kind: Kind,
    table: &mut Table<'_>,
    folder: Option<&Path>,
    problems: &mut Problems,
) -> Option<Vec<Arrival>> {
    let one = match kind {
        Kind::Closed => return Some(closed(table, problems)),
        Kind::Constant => return rates(table, |rate| Arrival::Constant { rate }, problems),
        Kind::Poisson => return rates(table, |rate| Arrival::Poisson { rate }, problems),
        Kind::Burst => burst(table, problems),
        Kind::Ramp => ramp(table, problems),
        Kind::Steps => steps(table, problems),
        Kind::Trace => trace(table, folder, problems),
    };
    Some(vec![one?])
}

/// `concurrency`: a number, or a list of them.
fn closed(table: &mut Table<'_>, problems: &mut Problems) -> Vec<Arrival> {
    let concurrency = match table.get("concurrency") {
        Some(node) => one_or_more(node, problems, |node, problems| number(node, 1, problems)),
        None => vec![1],
    };
    concurrency.into_iter().map(|concurrency| Arrival::Closed { concurrency }).collect()
}

/// `rate`: a number, or a list of them.
fn rates(
    table: &mut Table<'_>,
    arrival: impl Fn(Rate) -> Arrival,
    problems: &mut Problems,
) -> Option<Vec<Arrival>> {
    let node = table.require("rate", "100")?;
    Some(one_or_more(node, problems, rate_above_zero).into_iter().map(arrival).collect())
}

fn burst(table: &mut Table<'_>, problems: &mut Problems) -> Option<Arrival> {
    let high = table.require("rate", "200").and_then(|node| rate_above_zero(node, problems));
    let low = match table.get("low") {
        Some(node) => rate(node, problems),
        None => Rate::new(0.0),
    };
    let on = length(table, "on", "\"2s\"", problems);
    let off = length(table, "off", "\"5s\"", problems);
    Some(Arrival::Burst { rate: high?, low: low?, on: on?, off: off? })
}

fn ramp(table: &mut Table<'_>, problems: &mut Problems) -> Option<Arrival> {
    let from = table.require("from", "1").and_then(|node| rate(node, problems));
    let to = table.require("to", "200").and_then(|node| rate(node, problems));
    let (from, to) = (from?, to?);
    if from.get() + to.get() == 0.0 {
        return problems.push(nothing_arrives(table.span()));
    }
    Some(Arrival::Ramp { from, to })
}

fn steps(table: &mut Table<'_>, problems: &mut Problems) -> Option<Arrival> {
    let rates = table.require("rates", "[10, 100, 10]").and_then(|node| {
        let rates: Option<Vec<Rate>> =
            list(node, problems)?.into_iter().map(|node| rate(node, problems)).collect();
        match rates {
            Some(rates) if rates.iter().all(|rate| rate.get() == 0.0) => {
                problems.push(nothing_arrives(node.span()))
            }
            rates => rates,
        }
    });
    let each = length(table, "each", "\"5s\"", problems);
    Some(Arrival::Steps { rates: rates?, each: each? })
}

fn trace(table: &mut Table<'_>, folder: Option<&Path>, problems: &mut Problems) -> Option<Arrival> {
    let file = table
        .require("file", "\"arrivals.csv\"")
        .and_then(|node| trace_file(node, folder, problems));
    let function = match table.get("function") {
        Some(node) => text(node, problems).map(|function| Some(function.to_owned())),
        None => Some(None),
    };
    let mut factor = |key| match table.get(key) {
        Some(node) => positive(node, problems).and_then(Factor::new),
        None => Some(Factor::ONE),
    };
    let (scale, speed) = (factor("scale"), factor("speed"));
    Some(Arrival::Trace { file: file?, function: function?, scale: scale?, speed: speed? })
}

/// A file of recorded arrivals; a relative path starts at the scenario's folder.
fn trace_file(node: Node<'_>, folder: Option<&Path>, problems: &mut Problems) -> Option<PathBuf> {
    let file = Path::new(text(node, problems)?);
    let Some(folder) = folder else { return Some(file.to_owned()) };
    let place = trace_file::locate(folder, file);
    if place.is_file() {
        return Some(file.to_owned());
    }
    let message = format!("there is no file {}", place.display());
    let hint = "a relative path starts at the scenario's folder; `lumos trace generate` makes such \
                files";
    problems.push(Problem::new(node.span(), message).hint(hint))
}

/// `delayed`: idle gaps before some requests.
fn delayed(node: Node<'_>, problems: &mut Problems) -> Option<Delayed> {
    let mut table = Table::of(node, "`delayed`", problems)?;
    let share = table.require("share", "0.1").and_then(|node| {
        let valid = |share| Share::new(share).is_some();
        decimal(node, "a share from 0 to 1", valid, problems).and_then(Share::new)
    });
    let gap = length(&mut table, "gap", "\"3s\"", problems);
    table.finish(problems);
    Some(Delayed { share: share?, gap: gap? })
}

fn nothing_arrives(span: Range<usize>) -> Problem {
    Problem::new(span, "nothing would arrive: all rates are 0").hint("rates are requests a second")
}

fn rate_above_zero(node: Node<'_>, problems: &mut Problems) -> Option<Rate> {
    positive(node, problems).and_then(Rate::new)
}

fn rate(node: Node<'_>, problems: &mut Problems) -> Option<Rate> {
    not_negative(node, problems).and_then(Rate::new)
}

/// A required time above zero.
fn length(
    table: &mut Table<'_>,
    key: &'static str,
    example: &'static str,
    problems: &mut Problems,
) -> Option<Span> {
    let node = table.require(key, example)?;
    let length: Span = quantity(node, problems)?;
    match length.0.is_zero() {
        true => problems.push(Problem::new(node.span(), format!("`{key}` must be above 0"))),
        false => Some(length),
    }
}
