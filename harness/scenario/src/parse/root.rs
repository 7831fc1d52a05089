//! The keys of a scenario, table by table.

use std::path::Path;
use std::str::FromStr;

use lumos_model::cell::{Isolation, Size, Start, Storage, Target};
use lumos_model::protocol::Limits;
use lumos_model::units::{ByteSize, Span};
use toml::de::{DeTable, DeValue};

use super::check;
use super::error::Problem;
use super::parse_load::{self, Load};
use super::reader::{self, Node, Problems, Table};
use super::{Connection, Exclude, LoadSettings, Matrix, Pinning, Sampling, Scenario, Targets};
use crate::selector::{Axis, Pattern, Selector};

const ROOT_KEYS: &[&str] = &[
    "name",
    "description",
    "seed",
    "repetitions",
    "block",
    "warm",
    "warmup",
    "gap",
    "budget",
    "connection",
    "pinning",
    "matrix",
    "arrival",
    "load",
    "pool",
    "limits",
    "exclude",
];
const WARM_KEYS: &[&str] = &["repetitions", "block"];
const MATRIX_KEYS: &[&str] = &["functions", "sizes", "targets", "isolation", "start", "storage"];
const LIMITS_KEYS: &[&str] = &["cpus", "memory", "timeout"];
const EXCLUDE_KEYS: &[&str] = &[
    "function",
    "size",
    "target",
    "isolation",
    "start",
    "storage",
    "driver",
    "arrival",
    "keep_alive",
    "reason",
];
/// The start kinds that a scenario may ask for: under load the pool decides.
const STARTS: &[Start] =
    &[Start::Warm, Start::ColdInstance, Start::ColdModule, Start::ColdProcess, Start::ColdImage];

/// Reads and checks a scenario; on failure, all mistakes that were found.
pub(super) fn parse(
    text: &str,
    functions: &[&str],
    folder: Option<&Path>,
) -> Result<Scenario, Vec<Problem>> {
    let (root, syntax) = DeTable::parse_recoverable(text);
    if let Some(error) = syntax.first() {
        let span = error.span().unwrap_or(0..0);
        return Err(vec![Problem::new(span, format!("this is not TOML: {}", error.message()))]);
    }
    let mut problems = Problems::default();
    let root = Table::root(&root, ROOT_KEYS, &mut problems);
    let load = parse_load::load(&root, folder, &mut problems);
    let scenario = scenario(&root, functions, &load, &mut problems);
    match scenario {
        Some(scenario) if problems.0.is_empty() => Ok(scenario),
        _ => Err(problems.0),
    }
}

fn scenario(
    root: &Table<'_>,
    functions: &[&str],
    load: &Load,
    problems: &mut Problems,
) -> Option<Scenario> {
    if let Load::Some(_) = load {
        check::only_without_load(root, problems);
    }
    let name =
        root.require("name", "\"execution-time\"", problems).and_then(|node| name(node, problems));
    let description =
        root.get("description").and_then(|node| reader::text(node, problems)).map(str::to_owned);
    let repetitions = count(root, "repetitions", 1, 10, problems);
    let block = count(root, "block", 1, repetitions, problems);
    check::block(root, block, repetitions, problems);
    let warm = match root.get("warm") {
        Some(node) => warm(node, repetitions, problems)?,
        None => Sampling { repetitions, block },
    };
    let seed = root.get("seed").and_then(|node| reader::number(node, 0, problems)).unwrap_or(42);
    let warmup = count(root, "warmup", 0, 3, problems);
    let gap = span(root, "gap", problems).unwrap_or(Span(std::time::Duration::from_millis(100)));
    let budget = span(root, "budget", problems);
    let connection = root
        .get("connection")
        .and_then(|node| connection(node, problems))
        .unwrap_or(Connection::Request);
    let pinning = root.get("pinning").and_then(|node| pinning(node, problems));
    let pinning = pinning.unwrap_or(match load {
        Load::None => Pinning::OneCore,
        Load::Some(_) | Load::Unknown => Pinning::None,
    });
    let limits = root.get("limits").map_or(Some(Limits::default()), |node| limits(node, problems));
    let matrix = root
        .require("matrix", "{ functions = [\"noop\"], .. }", problems)
        .and_then(|node| matrix(node, functions, load, problems));
    let settings = match load {
        Load::Some(settings) => Some(settings),
        Load::None | Load::Unknown => None,
    };
    let exclude = match (root.get("exclude"), &matrix, load) {
        // Which words of a load there are is not known yet.
        (_, _, Load::Unknown) => Vec::new(),
        (Some(node), Some(matrix), _) => excludes(node, matrix, settings, problems),
        _ => Vec::new(),
    };
    Some(Scenario {
        name: name?,
        description,
        seed,
        repetitions,
        block,
        warm,
        warmup,
        gap,
        budget,
        connection,
        matrix: matrix?,
        load: settings.cloned(),
        limits: limits?,
        pinning,
        exclude,
        folder: Default::default(),
    })
}

/// A name that can be part of a path.
fn name(node: Node<'_>, problems: &mut Problems) -> Option<String> {
    let name = reader::text(node, problems)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.chars().all(plain) && !name.starts_with('.') {
        return Some(name.to_owned());
    }
    let problem = Problem::new(node.span(), format!("`{name}` cannot name a run's directory"));
    problems.push(problem.hint("use letters, digits, `-`, `_` and `.`"))
}

fn count(root: &Table<'_>, key: &str, least: u32, default: u32, problems: &mut Problems) -> u32 {
    root.get(key).and_then(|node| reader::number(node, least, problems)).unwrap_or(default)
}

fn span(table: &Table<'_>, key: &str, problems: &mut Problems) -> Option<Span> {
    table.get(key).and_then(|node| reader::quantity(node, problems))
}

fn connection(node: Node<'_>, problems: &mut Problems) -> Option<Connection> {
    let known = &["request", "instance"];
    let word: String = reader::word(node, "connection", known, problems)?;
    Some(if word == "request" { Connection::Request } else { Connection::Instance })
}

fn pinning(node: Node<'_>, problems: &mut Problems) -> Option<Pinning> {
    let word: String = reader::word(node, "pinning", &["one-core", "none"], problems)?;
    Some(if word == "none" { Pinning::None } else { Pinning::OneCore })
}

/// `[warm]`: what it leaves out is as for the other cells.
fn warm(node: Node<'_>, repetitions: u32, problems: &mut Problems) -> Option<Sampling> {
    let table = Table::of(node, "[warm]", WARM_KEYS, problems)?;
    let repetitions = count(&table, "repetitions", 1, repetitions, problems);
    let block = count(&table, "block", 1, repetitions, problems);
    check::block(&table, block, repetitions, problems);
    Some(Sampling { repetitions, block })
}

fn matrix(
    node: Node<'_>,
    functions: &[&str],
    load: &Load,
    problems: &mut Problems,
) -> Option<Matrix> {
    let table = Table::of(node, "[matrix]", MATRIX_KEYS, problems)?;
    let matrix = Matrix {
        functions: table
            .require("functions", "[\"fibonacci\"]", problems)
            .map(|node| self::functions(node, functions, problems))
            .unwrap_or_default(),
        sizes: words(&table, "sizes", "size", Size::ALL, None, problems),
        targets: table
            .require("targets", "[\"native\", \"wasmtime-aot\"]", problems)
            .map_or(Targets::All, |node| targets(node, problems)),
        isolation: words(
            &table,
            "isolation",
            "isolation",
            Isolation::ALL,
            Some(Isolation::Process),
            problems,
        ),
        start: starts(&table, load, problems),
        storage: words(&table, "storage", "storage", Storage::ALL, Some(Storage::Inline), problems),
    };
    check::matrix(&table, &matrix, problems);
    Some(matrix)
}

/// The start kinds; a pool under load decides by itself.
fn starts(table: &Table<'_>, load: &Load, problems: &mut Problems) -> Vec<Start> {
    match (load, table.get("start")) {
        (Load::None, node) => {
            let found = problems.0.len();
            let starts = words(table, "start", "start kind", STARTS, None, problems);
            if let Some(node) = node
                && problems.0.len() > found
            {
                check::explain_mixed(node, &mut problems.0[found..]);
            }
            starts
        }
        (Load::Some(_), Some(node)) => {
            check::no_start_under_load(node, problems);
            Vec::new()
        }
        (Load::Some(_), None) | (Load::Unknown, _) => vec![Start::Mixed],
    }
}

/// A list of words of a closed set. Without a `default` the key must be there.
fn words<W>(
    table: &Table<'_>,
    key: &str,
    what: &str,
    all: &[W],
    default: Option<W>,
    problems: &mut Problems,
) -> Vec<W>
where
    W: Copy + PartialEq + FromStr + Into<&'static str>,
{
    let known: Vec<&str> = all.iter().map(|word| (*word).into()).collect();
    let node = match default {
        Some(word) => match table.get(key) {
            Some(node) => node,
            None => return vec![word],
        },
        None => match table.require(key, &format!("[\"{}\"]", known[0]), problems) {
            Some(node) => node,
            None => return Vec::new(),
        },
    };
    reader::distinct(node, problems, |node, problems| reader::word(node, what, &known, problems))
}

fn functions(node: Node<'_>, known: &[&str], problems: &mut Problems) -> Vec<String> {
    if is_all(node) {
        return known.iter().map(|name| (*name).to_owned()).collect();
    }
    reader::distinct(node, problems, |node, problems| {
        reader::word(node, "function", known, problems)
    })
}

fn targets(node: Node<'_>, problems: &mut Problems) -> Targets {
    if is_all(node) {
        return Targets::All;
    }
    Targets::Named(reader::distinct(node, problems, |node, problems| {
        let text = reader::text(node, problems)?;
        if text == "all" {
            let problem = Problem::new(node.span(), "`all` stands alone");
            return problems.push(problem.hint("write [\"all\"], or name the targets"));
        }
        text.parse::<Target>().map_or_else(
            |_| {
                let problem = Problem::new(node.span(), format!("`{text}` cannot be a target"));
                problems.push(problem.hint(
                    "a target is a runtime with its mode, such as wasmtime-aot; \
                     `lumos list targets` shows them",
                ))
            },
            Some,
        )
    }))
}

/// Whether the list is `["all"]`.
fn is_all(node: Node<'_>) -> bool {
    let Some(list) = node.get_ref().as_array() else { return false };
    let mut elements = list.iter();
    matches!((elements.next(), elements.next()),
        (Some(only), None) if only.get_ref().as_str() == Some("all"))
}

fn limits(node: Node<'_>, problems: &mut Problems) -> Option<Limits> {
    let table = Table::of(node, "[limits]", LIMITS_KEYS, problems)?;
    let cpus = table.get("cpus").and_then(|node| reader::positive(node, problems));
    let memory: Option<ByteSize> =
        table.get("memory").and_then(|node| reader::quantity(node, problems));
    let timeout = span(&table, "timeout", problems).unwrap_or(Limits::default_timeout());
    check::not_zero(&table, "memory", memory.is_some_and(|memory| memory.0 == 0), problems);
    check::not_zero(&table, "timeout", timeout.0.is_zero(), problems);
    Some(Limits { cpus, memory, timeout })
}

fn excludes(
    node: Node<'_>,
    matrix: &Matrix,
    load: Option<&LoadSettings>,
    problems: &mut Problems,
) -> Vec<Exclude> {
    if let DeValue::Table(_) = node.get_ref() {
        let problem = Problem::new(node.span(), "there can be several exclusions");
        problems.0.push(problem.hint("write [[exclude]]"));
        return Vec::new();
    }
    let Some(entries) = reader::list(node, problems) else { return Vec::new() };
    entries.into_iter().filter_map(|entry| exclude(entry, matrix, load, problems)).collect()
}

fn exclude(
    node: Node<'_>,
    matrix: &Matrix,
    load: Option<&LoadSettings>,
    problems: &mut Problems,
) -> Option<Exclude> {
    let table = Table::of(node, "[[exclude]]", EXCLUDE_KEYS, problems)?;
    let mut cells = Selector::default();
    for axis in Axis::ALL {
        let Some(node) = table.get(axis.as_str()) else { continue };
        let patterns = match node.get_ref().as_array() {
            Some(_) => reader::list(node, problems).unwrap_or_default(),
            None => vec![node],
        };
        for node in patterns {
            let Some(text) = reader::text(node, problems) else { continue };
            let pattern = Pattern(text.to_owned());
            check::pattern_is_used(node, axis, &pattern, (matrix, load), problems);
            cells.add(axis, pattern);
        }
    }
    check::excludes_something(&table, &cells, problems);
    let reason = table.require("reason", "\"needs 2 GiB\"", problems)?;
    Some(Exclude { cells, reason: reader::text(reason, problems)?.to_owned() })
}
