//! `[matrix]`: the axes of the experiment.

use lumos_model::cell::{Isolation, Size, Start, Storage};

use super::load::Load;
use crate::check;
use crate::error::Problem;
use crate::reader::{Node, Problems, Table, distinct, one_of, text, word};
use crate::scenario::{Matrix, Targets};

pub(super) fn matrix(
    node: Node<'_>,
    functions: &[&str],
    load: &Load,
    problems: &mut Problems,
) -> Option<Matrix> {
    let mut table = Table::of(node, "[matrix]", problems)?;
    let functions = table
        .require("functions", "[\"fibonacci\"]")
        .map(|node| self::functions(node, functions, problems));
    let sizes =
        table.require("sizes", "[\"tiny\"]").map(|node| words(node, "size", Size::ALL, problems));
    let targets = table
        .require("targets", "[\"native\", \"wasmtime-aot\"]")
        .map(|node| targets(node, problems));
    let isolation_node = table.get("isolation");
    let isolation = isolation_node.map_or(vec![Isolation::Process], |node| {
        words(node, "isolation", Isolation::ALL, problems)
    });
    let start = starts(&mut table, load, problems);
    let storage = table
        .get("storage")
        .map_or(vec![Storage::Inline], |node| words(node, "storage", Storage::ALL, problems));
    let matrix = Matrix {
        functions: functions.unwrap_or_default(),
        sizes: sizes.unwrap_or_default(),
        targets: targets.unwrap_or(Targets::All),
        isolation,
        start,
        storage,
    };
    check::isolation(isolation_node, &matrix, problems);
    table.finish(problems);
    Some(matrix)
}

/// The start kinds. Under load the pool decides how a request starts.
fn starts(table: &mut Table<'_>, load: &Load, problems: &mut Problems) -> Vec<Start> {
    match load {
        Load::Absent => {
            let Some(node) = table.require("start", "[\"warm\"]") else { return Vec::new() };
            let found = problems.len();
            let starts = words(node, "start kind", &Start::SINGLE, problems);
            check::explain_mixed(node, problems.since(found));
            starts
        }
        Load::Present(_) | Load::Unknown => {
            if let (Some(node), Load::Present(_)) = (table.get("start"), load) {
                check::no_start_under_load(node, problems);
            }
            vec![Start::Mixed]
        }
    }
}

/// A list of words of a closed set.
fn words<W>(node: Node<'_>, what: &str, all: &[W], problems: &mut Problems) -> Vec<W>
where
    W: Copy + PartialEq + Into<&'static str>,
{
    distinct(node, problems, |node, problems| one_of(node, what, all, problems))
}

fn functions(node: Node<'_>, known: &[&str], problems: &mut Problems) -> Vec<String> {
    if is_all(node) {
        return known.iter().map(|name| (*name).to_owned()).collect();
    }
    distinct(node, problems, |node, problems| {
        word(node, "function", known, problems).map(str::to_owned)
    })
}

fn targets(node: Node<'_>, problems: &mut Problems) -> Targets {
    if is_all(node) {
        return Targets::All;
    }
    Targets::Named(distinct(node, problems, |node, problems| {
        let text = text(node, problems)?;
        if text == "all" {
            let message = "`all` cannot be combined with other targets";
            let hint = "write [\"all\"], or name the targets";
            return problems.push(Problem::new(node.span(), message).hint(hint));
        }
        if let Ok(target) = text.parse() {
            return Some(target);
        }
        let problem = Problem::new(node.span(), format!("`{text}` is not a valid target"));
        problems.push(problem.hint(
            "a target is a runtime with its mode, such as wasmtime-aot; `lumos list targets` lists \
             them",
        ))
    }))
}

/// Whether the list is `["all"]`.
fn is_all(node: Node<'_>) -> bool {
    let Some(list) = node.get_ref().as_array() else { return false };
    let mut elements = list.iter();
    matches!((elements.next(), elements.next()),
        (Some(only), None) if only.get_ref().as_str() == Some("all"))
}
