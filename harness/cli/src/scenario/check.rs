//! What no single value shows: combinations that cannot be measured.

use lumos_model::cell::{Isolation, Start};

use super::error::Problem;
use super::reader::{Node, Problems, Table, did_you_mean};
use super::{Matrix, Targets};
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

/// A pattern of an `[[exclude]]` must match a word of the matrix.
pub(super) fn pattern_is_used(
    node: Node<'_>,
    axis: Axis,
    pattern: &Pattern,
    matrix: &Matrix,
    problems: &mut Problems,
) {
    let Some(words) = words(matrix, axis) else { return };
    if words.iter().any(|word| pattern.matches(word)) || words.is_empty() {
        return;
    }
    let Pattern(text) = pattern;
    let message = format!("`{text}` matches no {axis} of the matrix, so it excludes nothing");
    problems.0.push(Problem::new(node.span(), message).hint(did_you_mean(text, &words)));
}

/// The matrix' words on `axis`; `None` when only the hosts know them.
fn words(matrix: &Matrix, axis: Axis) -> Option<Vec<&str>> {
    Some(match axis {
        Axis::Function => matrix.functions.iter().map(String::as_str).collect(),
        Axis::Size => matrix.sizes.iter().map(|word| word.as_str()).collect(),
        Axis::Target => match &matrix.targets {
            Targets::All => return None,
            Targets::Named(targets) => targets.iter().map(|target| target.as_str()).collect(),
        },
        Axis::Isolation => matrix.isolation.iter().map(|word| word.as_str()).collect(),
        Axis::Start => matrix.start.iter().map(|word| word.as_str()).collect(),
        Axis::Storage => matrix.storage.iter().map(|word| word.as_str()).collect(),
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
