//! Combinations of values that cannot be measured, although each value is valid.

use lumos_model::cell::{Isolation, Start};
use lumos_model::pool::PoolConfig;

use crate::error::Problem;
use crate::reader::{Node, Problems, Table, did_you_mean, strings};
use crate::scenario::{LoadSettings, Matrix, Targets};
use crate::selector::{Axis, Pattern, Selector};

/// A block is a part of the repetitions.
pub(crate) fn block(node: Option<Node<'_>>, block: u32, repetitions: u32, problems: &mut Problems) {
    if let (Some(node), true) = (node, block > repetitions) {
        let message = format!("a block of {block} samples exceeds the {repetitions} repetitions");
        let hint = "a block is the part of a cell's samples that is measured back to back";
        problems.push::<()>(Problem::new(node.span(), message).hint(hint));
    }
}

/// A limit of zero would let nothing run.
pub(crate) fn above_zero(node: Node<'_>, key: &str, is_zero: bool, problems: &mut Problems) {
    if is_zero {
        let problem = Problem::new(node.span(), format!("`{key}` must be above 0"));
        problems.push::<()>(problem.hint("leave the key out for the default"));
    }
}

/// Refuses a matrix of which no cell can ever run.
pub(crate) fn isolation(node: Option<Node<'_>>, matrix: &Matrix, problems: &mut Problems) {
    let (Some(node), [Isolation::Thread]) = (node, &matrix.isolation[..]) else { return };
    let needs_process = |start: &Start| matches!(start, Start::ColdProcess | Start::ColdImage);
    if !matrix.start.is_empty() && matrix.start.iter().all(needs_process) {
        let message = format!(
            "an instance in a thread has no process of its own, so a {} start is impossible",
            matrix.start[0]
        );
        let hint = "add \"process\", or measure cold:instance, cold:module or warm";
        problems.push::<()>(Problem::new(node.span(), message).hint(hint));
    }
    if let Targets::Named(targets) = &matrix.targets
        && !targets.is_empty()
        && targets.iter().all(|target| target.is_native())
    {
        let message =
            "a native function is a process of its own, so thread isolation is impossible";
        problems.push::<()>(Problem::new(node.span(), message).hint("write [\"process\"]"));
    }
}

/// Keys of single samples have no meaning under load.
pub(crate) fn no_sampling_under_load(root: &mut Table<'_>, problems: &mut Problems) {
    const KEYS: [(&str, &str); 5] = [
        ("block", "a block is one period of load; set its `duration` in [load]"),
        ("warm", "there are no warm cells: each pool has cold and warm requests"),
        ("warmup", "a pool begins as [pool] says: set `prewarmed` or `min_instances` there"),
        (
            "gap",
            "pauses are part of [arrival]: write for example \
             delayed = { share = 0.1, gap = \"3s\" } there",
        ),
        ("budget", "set the `duration` of a block or its number of `requests` in [load]"),
    ];
    for (key, hint) in KEYS {
        if let Some(node) = root.get(key) {
            let message = format!("`{key}` has no meaning under load");
            problems.push::<()>(Problem::new(node.span(), message).hint(hint));
        }
    }
}

/// Under load the pool decides how a request starts.
pub(crate) fn no_start_under_load(start: Node<'_>, problems: &mut Problems) {
    let message = "under load the pool decides whether a request starts cold or warm";
    let hint = "leave `start` out; the report shows the share of cold starts";
    problems.push::<()>(Problem::new(start.span(), message).hint(hint));
}

/// Explains that the start kind `mixed` exists, but only under load. Replaces the messages of
/// the reader in `problems`.
pub(crate) fn explain_mixed(start: Node<'_>, problems: &mut [Problem]) {
    let Some(list) = start.get_ref().as_array() else { return };
    let mixed = Start::Mixed.as_str();
    for word in list.iter().filter(|word| word.get_ref().as_str() == Some(mixed)) {
        if let Some(problem) = problems.iter_mut().find(|problem| problem.span == word.span()) {
            problem.message = format!("`{mixed}` is only for cells under load");
            problem.hint = Some("leave `start` out and describe the load in [load]".to_owned());
        }
    }
}

/// Refuses a pool whose settings contradict each other, or that a closed loop would overrun.
pub(crate) fn pool(
    table: &mut Table<'_>,
    pool: &PoolConfig,
    most_in_flight: Option<u32>,
    problems: &mut Problems,
) {
    for (key, value) in [("min_instances", pool.min_instances), ("prewarmed", pool.prewarmed)] {
        if let (Some(node), true) = (table.get(key), value > pool.max_instances) {
            let message =
                format!("`{key}` exceeds `max_instances`, which is {}", pool.max_instances);
            let hint = format!("raise `max_instances` to at least {value}");
            problems.push::<()>(Problem::new(node.span(), message).hint(hint));
        }
    }
    let room = pool.max_instances.saturating_add(pool.queue);
    if let Some(most) = most_in_flight.filter(|most| *most > room) {
        let place = table.get("queue").or_else(|| table.get("max_instances"));
        let message = format!(
            "a closed loop keeps {most} requests in flight, but the pool takes only {room}: clients \
             would resend rejected requests at once, and the block would measure rejections"
        );
        let hint = "raise `queue` or `max_instances`, or let requests arrive at a rate";
        let span = place.map_or(table.span(), |node| node.span());
        problems.push::<()>(Problem::new(span, message).hint(hint));
    }
}

/// A pattern of an `[[exclude]]` must match a word of the matrix or of its load.
pub(crate) fn pattern_is_used(
    node: Node<'_>,
    axis: Axis,
    pattern: &Pattern,
    (matrix, load): (&Matrix, Option<&LoadSettings>),
    problems: &mut Problems,
) {
    let Pattern(text) = pattern;
    if axis.is_of_load() && load.is_none() {
        let message = format!("this scenario has no load, so its cells have no {axis}");
        problems.push::<()>(Problem::new(node.span(), message).hint("describe the load in [load]"));
        return;
    }
    let Some(words) = words(matrix, load, axis) else { return };
    if words.iter().any(|word| axis.matches(pattern, word)) || words.is_empty() {
        return;
    }
    let known: Vec<&str> = words.iter().map(String::as_str).collect();
    let message = format!("`{text}` matches no {axis} of the matrix, so it excludes nothing");
    problems.push::<()>(Problem::new(node.span(), message).hint(did_you_mean(text, &known)));
}

/// The words on `axis`; `None` if only the hosts know them.
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

/// An `[[exclude]]` that names no axis would exclude every cell.
pub(crate) fn excludes_something(table: &mut Table<'_>, cells: &Selector, problems: &mut Problems) {
    let names_axis = strings(Axis::ALL).into_iter().any(|axis| table.get(axis).is_some());
    if cells.is_empty() && !names_axis {
        let problem = Problem::new(table.span(), "this would exclude every cell");
        let hint = "name the cells to exclude, for example target = \"wasmedge-*\"";
        problems.push::<()>(problem.hint(hint));
    }
}
