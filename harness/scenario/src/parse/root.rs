//! The keys at the top.

use std::path::{Path, PathBuf};

use lumos_model::protocol::Limits;
use lumos_model::units::{ByteSize, Span};
use toml::Spanned;
use toml::de::DeTable;

use super::load::{self, Load};
use super::{exclude, matrix, sampling};
use crate::check;
use crate::error::Problem;
use crate::reader::{Node, Problems, Table, number, one_of, positive, quantity, text};
use crate::scenario::{Connection, Pinning, Scenario};

const SEED: u64 = 42;

/// Reads and checks a whole scenario; `None` if a required part cannot be read.
pub(super) fn scenario(
    root: &Spanned<DeTable<'_>>,
    functions: &[&str],
    folder: Option<&Path>,
    problems: &mut Problems,
) -> Option<Scenario> {
    let mut root = Table::root(root);
    let name = root.require("name", "\"execution-time\"").and_then(|node| name(node, problems));
    let description = root.get("description").and_then(|node| text(node, problems));
    let seed = root.get("seed").and_then(|node| number(node, 0, problems)).unwrap_or(SEED);
    let samples = sampling::samples(&mut root, problems);
    let connection = root
        .get("connection")
        .and_then(|node| one_of(node, "connection", Connection::ALL, problems));
    let pinning =
        root.get("pinning").and_then(|node| one_of(node, "pinning", Pinning::ALL, problems));
    let load = load::load(&mut root, folder, problems);
    if let Load::Present(_) = load {
        check::no_sampling_under_load(&mut root, problems);
    }
    let matrix = root
        .require("matrix", "{ functions = [\"noop\"], .. }")
        .and_then(|node| matrix::matrix(node, functions, &load, problems));
    let limits = root.get("limits").map_or(Some(Limits::default()), |node| limits(node, problems));
    let exclude = exclude::excludes(root.get("exclude"), matrix.as_ref(), &load, problems);
    root.finish(problems);
    let samples = samples?;
    Some(Scenario {
        name: name?,
        description: description.map(str::to_owned),
        seed,
        repetitions: samples.all.repetitions,
        block: samples.all.block,
        warm: samples.warm,
        warmup: samples.warmup,
        gap: samples.gap,
        budget: samples.budget,
        connection: connection.unwrap_or(Connection::Request),
        matrix: matrix?,
        limits: limits?,
        pinning: pinning.unwrap_or(load.default_pinning()),
        load: load.settings().cloned(),
        exclude,
        folder: PathBuf::new(),
    })
}

/// A name that can be part of a path.
fn name(node: Node<'_>, problems: &mut Problems) -> Option<String> {
    let name = text(node, problems)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.chars().all(plain) && !name.starts_with('.') {
        return Some(name.to_owned());
    }
    let problem = Problem::new(node.span(), format!("`{name}` cannot name a run directory"));
    problems.push(problem.hint("use letters, digits, `-`, `_` and `.`"))
}

/// `[limits]`.
fn limits(node: Node<'_>, problems: &mut Problems) -> Option<Limits> {
    let mut table = Table::of(node, "[limits]", problems)?;
    let cpus = table.get("cpus").and_then(|node| positive(node, problems));
    let memory = table.get("memory").and_then(|node| {
        let memory: ByteSize = quantity(node, problems)?;
        check::above_zero(node, "memory", memory.0 == 0, problems);
        Some(memory)
    });
    let timeout = table.get("timeout").and_then(|node| {
        let timeout: Span = quantity(node, problems)?;
        check::above_zero(node, "timeout", timeout.0.is_zero(), problems);
        Some(timeout)
    });
    table.finish(problems);
    Some(Limits { cpus, memory, timeout: timeout.unwrap_or(Limits::default_timeout()) })
}
