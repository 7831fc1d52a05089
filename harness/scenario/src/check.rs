//! What no single value shows: combinations that cannot be measured.

use lumos_model::cell::{Isolation, Start};
use lumos_model::pool::PoolConfig;

use super::error::Problem;
use super::reader::{Node, Problems, Table, did_you_mean};
use super::{LoadSettings, Matrix, Targets};
use crate::selector::{Axis, Pattern, Selector};

/// A block is a part of the repetitions.
pub(super) fn block(root: &Table<'_>, block: u32, repetitions: u32, problems: &mut Problems) {
    if let (Some(node), true) = (root.get("block"), block > repetitions) {
        let message = format!("a block of {block} samples is more than {repetitions} repetitions");
        let hint = "a block is the part of a cell's samples that is measured back to back";
        problems.0.push(Problem::new(node.span(), message).hint(hint));
    }
}

/// A bound of zero would let nothing run.
pub(super) fn not_zero(table: &Table<'_>, key: &str, is_zero: bool, problems: &mut Problems) {
    if let (Some(node), true) = (table.get(key), is_zero) {
        let message = format!("with a {key} of 0 nothing could run");
        problems
            .0
            .push(Problem::new(node.span(), message).hint("leave the key out for the default"));
    }
}

/// Refuses a matrix of which no cell can ever run.
pub(super) fn matrix(table: &Table<'_>, matrix: &Matrix, problems: &mut Problems) {
    if matrix.isolation != [Isolation::Thread] {
        return;
    }
    let Some(isolation) = table.get("isolation") else { return };
    let needs_process = |start: &Start| matches!(start, Start::ColdProcess | Start::ColdImage);
    if !matrix.start.is_empty() && matrix.start.iter().all(needs_process) {
        let message = format!(
            "an instance in a thread has no process of its own, so it has no {} start",
            matrix.start[0]
        );
        let hint = "add \"process\", or measure cold:instance, cold:module or warm";
        problems.0.push(Problem::new(isolation.span(), message).hint(hint));
    }
    if let Targets::Named(targets) = &matrix.targets
        && !targets.is_empty()
        && targets.iter().all(|target| target.is_native())
    {
        let message = "a native function is a process of its own and has no thread isolation";
        problems.0.push(Problem::new(isolation.span(), message).hint("write [\"process\"]"));
    }
}

/// Keys of single samples say nothing of a load.
pub(super) fn only_without_load(root: &Table<'_>, problems: &mut Problems) {
    const KEYS: [(&str, &str); 5] = [
        ("block", "a block of such a cell is one period of load; [load] says how long"),
        ("warm", "there are no warm cells; each pool has cold and warm requests"),
        ("warmup", "a pool begins as [pool] says: prewarmed and min_instances warm it up"),
        (
            "gap",
            "pauses come from [arrival], where delayed = { share = 0.1, gap = \"3s\" } adds some",
        ),
        ("budget", "[load] says how long a block lasts (duration) and how many requests it has"),
    ];
    for (key, hint) in KEYS {
        if let Some(node) = root.get(key) {
            let message = format!("`{key}` is for cells that are not under load");
            problems.0.push(Problem::new(node.span(), message).hint(hint));
        }
    }
}

/// Under load a request starts as the pool can serve it.
pub(super) fn no_start_under_load(start: Node<'_>, problems: &mut Problems) {
    let message = "under load the pool decides whether a request starts cold or warm";
    let hint = "leave `start` out; the report shows the share of cold starts";
    problems.0.push(Problem::new(start.span(), message).hint(hint));
}

/// `mixed` is a start kind, but not one to ask for: says so instead of what the reader
/// said of it.
pub(super) fn explain_mixed(start: Node<'_>, problems: &mut [Problem]) {
    let Some(list) = start.get_ref().as_array() else { return };
    for word in list.iter().filter(|word| word.get_ref().as_str() == Some("mixed")) {
        if let Some(problem) = problems.iter_mut().find(|problem| problem.span == word.span()) {
            problem.message = "`mixed` is how cells under load start".to_owned();
            problem.hint = Some("leave `start` out and describe the load in [load]".to_owned());
        }
    }
}

/// Refuses a pool that cannot be kept, or that a closed loop would only knock at.
pub(super) fn pool(
    table: &Table<'_>,
    pool: &PoolConfig,
    most_in_flight: Option<u32>,
    problems: &mut Problems,
) {
    for (key, value) in [("min_instances", pool.min_instances), ("prewarmed", pool.prewarmed)] {
        if let (Some(node), true) = (table.get(key), value > pool.max_instances) {
            let message =
                format!("{value} instances are more than max_instances, {}", pool.max_instances);
            let hint = format!("make max_instances at least {value}");
            problems.0.push(Problem::new(node.span(), message).hint(hint));
        }
    }
    let room = pool.max_instances.saturating_add(pool.queue);
    if let Some(most) = most_in_flight.filter(|most| *most > room) {
        let place = table.get("queue").or_else(|| table.get("max_instances"));
        let message = format!(
            "of {most} requests in flight {room} are served or wait; a closed loop would send the \
             rejected ones again at once, and measure nothing but that"
        );
        let hint = "make queue or max_instances larger, or let requests arrive at a rate";
        let span = place.map_or(table.span.clone(), |node| node.span());
        problems.0.push(Problem::new(span, message).hint(hint));
    }
}

/// A pattern of an `[[exclude]]` must match a word of the matrix, or of its load.
pub(super) fn pattern_is_used(
    node: Node<'_>,
    axis: Axis,
    pattern: &Pattern,
    (matrix, load): (&Matrix, Option<&LoadSettings>),
    problems: &mut Problems,
) {
    let Pattern(text) = pattern;
    if Axis::OF_LOAD.contains(&axis) && load.is_none() {
        let message = format!("no cell of this scenario is under load, so none has a {axis}");
        problems.0.push(Problem::new(node.span(), message).hint("describe the load in [load]"));
        return;
    }
    let Some(words) = words(matrix, load, axis) else { return };
    if words.iter().any(|word| axis.matches(pattern, word)) || words.is_empty() {
        return;
    }
    let known: Vec<&str> = words.iter().map(String::as_str).collect();
    let message = format!("`{text}` matches no {axis} of the matrix, so it excludes nothing");
    problems.0.push(Problem::new(node.span(), message).hint(did_you_mean(text, &known)));
}

/// The words on `axis`; `None` when only the hosts know them.
fn words(matrix: &Matrix, load: Option<&LoadSettings>, axis: Axis) -> Option<Vec<String>> {
    fn all<T: ToString>(words: &[T]) -> Vec<String> {
        words.iter().map(T::to_string).collect()
    }
    Some(match axis {
        Axis::Function => matrix.functions.clone(),
        Axis::Size => all(&matrix.sizes),
        Axis::Target => match &matrix.targets {
            Targets::All => return None,
            Targets::Named(targets) => all(targets),
        },
        Axis::Isolation => all(&matrix.isolation),
        Axis::Start => all(&matrix.start),
        Axis::Storage => all(&matrix.storage),
        Axis::Driver => load.map(|load| all(&load.drivers)).unwrap_or_default(),
        Axis::Arrival => load.map(|load| all(&load.traffic)).unwrap_or_default(),
        Axis::KeepAlive => load.map(|load| all(&load.keep_alive)).unwrap_or_default(),
    })
}

/// An `[[exclude]]` without any key would exclude every cell.
pub(super) fn excludes_something(table: &Table<'_>, cells: &Selector, problems: &mut Problems) {
    let named = Axis::ALL.into_iter().any(|axis| table.get(axis.as_str()).is_some());
    if cells.is_empty() && !named {
        let problem = Problem::new(table.span.clone(), "this would exclude every cell");
        problems.0.push(problem.hint("name which cells, for example target = \"wasmedge-*\""));
    }
}
