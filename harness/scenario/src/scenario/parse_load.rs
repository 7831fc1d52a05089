//! The keys of `[arrival]`, `[load]` and `[pool]`.

use std::ops::Range;
use std::path::Path;

use lumos_model::arrival::{Arrival, Delayed, Rate, Traffic};
use lumos_model::cell::Driver;
use lumos_model::pool::{PoolConfig, Scaling};
use lumos_model::units::Span;
use toml::de::DeValue;

use super::check;
use super::error::Problem;
use super::load::LoadSettings;
use super::reader::{self, Node, Problems, Table};

const ARRIVAL_KEYS: &[&str] = &[
    "kind",
    "concurrency",
    "rate",
    "low",
    "on",
    "off",
    "from",
    "to",
    "rates",
    "each",
    "file",
    "function",
    "scale",
    "speed",
    "delayed",
];
/// The kinds of arrival, each with its keys beside `kind` and `delayed`.
const KINDS: &[(&str, &[&str])] = &[
    ("closed", &["concurrency"]),
    ("constant", &["rate"]),
    ("poisson", &["rate"]),
    ("burst", &["rate", "low", "on", "off"]),
    ("ramp", &["from", "to"]),
    ("steps", &["rates", "each"]),
    ("trace", &["file", "function", "scale", "speed"]),
];
const DELAYED_KEYS: &[&str] = &["share", "gap"];
const LOAD_KEYS: &[&str] = &["driver", "duration", "requests"];
const POOL_KEYS: &[&str] =
    &["keep_alive", "min_instances", "max_instances", "prewarmed", "queue", "scaling"];
const SCALING_KEYS: &[&str] = &["window", "utilization"];

/// Requests after which a block sends no further one.
const REQUESTS: u32 = 100_000;
/// Knative's default window.
const WINDOW: Span = Span(std::time::Duration::from_secs(60));

/// One request at a time: what holds without any of the three tables.
fn one_at_a_time() -> Vec<Traffic> {
    vec![Traffic { arrival: Arrival::Closed { concurrency: 1 }, delayed: None }]
}

/// What the three tables say.
pub(super) enum Load {
    /// One request at a time, each with the start kind that its cell asks for.
    None,
    /// Pools under load.
    Some(LoadSettings),
    /// A mistake was found, so it is not known which.
    Unknown,
}

/// Reads the three tables of `root`; recorded arrivals must be in `folder`, if there is one.
pub(super) fn load(root: &Table<'_>, folder: Option<&Path>, problems: &mut Problems) -> Load {
    let found = problems.0.len();
    let traffic = match root.get("arrival") {
        Some(node) => arrivals(node, folder, problems),
        None => Some(one_at_a_time()),
    };
    let tables = (root.get("load"), root.get("pool"));
    if let (None, None) = tables
        && traffic.as_ref() == Some(&one_at_a_time())
    {
        return Load::None;
    }
    let concurrency = traffic.iter().flatten().filter_map(|traffic| match traffic.arrival {
        Arrival::Closed { concurrency } => Some(concurrency),
        _ => None,
    });
    let most_in_flight = concurrency.max();
    let (drivers, duration, requests) = period(tables.0, problems);
    let (keep_alive, pool) = pool(tables.1, most_in_flight, problems);
    match traffic {
        Some(traffic) if problems.0.len() == found => {
            Load::Some(LoadSettings { drivers, traffic, keep_alive, duration, requests, pool })
        }
        _ => Load::Unknown,
    }
}

fn arrivals(
    node: Node<'_>,
    folder: Option<&Path>,
    problems: &mut Problems,
) -> Option<Vec<Traffic>> {
    let table = Table::of(node, "[arrival]", ARRIVAL_KEYS, problems)?;
    let kind_node = table.require("kind", "\"closed\"", problems)?;
    let known: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
    let kind: String = reader::word(kind_node, "arrival", &known, problems)?;
    let (_, keys) = KINDS.iter().find(|(known, _)| *known == kind)?;
    for (key, span) in table.keys() {
        if !keys.contains(&key) && !["kind", "delayed"].contains(&key) {
            let message = format!("arrivals of kind \"{kind}\" have no key `{key}`");
            let hint = format!("theirs are {}, delayed", keys.join(", "));
            problems.0.push(Problem::new(span, message).hint(hint));
        }
    }
    let arrivals = of_kind(&kind, &table, folder, problems);
    let delayed = table.get("delayed").map(|node| delayed(node, problems));
    let delayed = match delayed {
        Some(None) => return None,
        Some(delayed) => delayed,
        None => None,
    };
    let arrivals = arrivals?;
    Some(arrivals.into_iter().map(|arrival| Traffic { arrival, delayed }).collect())
}

/// The arrivals of a kind: one, or one for each value of its list.
fn of_kind(
    kind: &str,
    table: &Table<'_>,
    folder: Option<&Path>,
    problems: &mut Problems,
) -> Option<Vec<Arrival>> {
    let one = |arrival: Arrival| Some(vec![arrival]);
    match kind {
        "closed" => {
            let Some(node) = table.get("concurrency") else {
                return one(Arrival::Closed { concurrency: 1 });
            };
            let values = reader::one_or_more(node, problems, |node, p| reader::number(node, 1, p));
            Some(values.into_iter().map(|concurrency| Arrival::Closed { concurrency }).collect())
        }
        "constant" => Some(rates(table, |rate| Arrival::Constant { rate }, problems)),
        "poisson" => Some(rates(table, |rate| Arrival::Poisson { rate }, problems)),
        "burst" => {
            let rate = table.require("rate", "200", problems).and_then(|n| above_zero(n, problems));
            let low = match table.get("low") {
                Some(node) => from_zero(node, problems),
                None => Rate::new(0.0),
            };
            let on = length(table, "on", "\"2s\"", problems);
            let off = length(table, "off", "\"5s\"", problems);
            one(Arrival::Burst { rate: rate?, low: low?, on: on?, off: off? })
        }
        "ramp" => {
            let from = table.require("from", "1", problems).and_then(|n| from_zero(n, problems));
            let to = table.require("to", "200", problems).and_then(|n| from_zero(n, problems));
            let (from, to) = (from?, to?);
            if from.get() + to.get() == 0.0 {
                return problems.push(nothing_arrives(table.span.clone()));
            }
            one(Arrival::Ramp { from, to })
        }
        "steps" => {
            let rates = table.require("rates", "[10, 100, 10]", problems).and_then(|node| {
                let nodes = reader::list(node, problems)?;
                let rates: Option<Vec<Rate>> =
                    nodes.into_iter().map(|node| from_zero(node, problems)).collect();
                match rates {
                    Some(rates) if rates.iter().all(|rate| rate.get() == 0.0) => {
                        problems.push(nothing_arrives(node.span()))
                    }
                    rates => rates,
                }
            });
            let each = length(table, "each", "\"5s\"", problems);
            one(Arrival::Steps { rates: rates?, each: each? })
        }
        _ => {
            let file = table
                .require("file", "\"arrivals.csv\"", problems)
                .and_then(|node| trace(node, folder, problems));
            let function = match table.get("function") {
                Some(node) => Some(reader::text(node, problems)?.to_owned()),
                None => None,
            };
            let mut factor = |key| match table.get(key) {
                Some(node) => above_zero(node, problems),
                None => Rate::new(1.0),
            };
            let (scale, speed) = (factor("scale"), factor("speed"));
            one(Arrival::Trace { file: file?, function, scale: scale?, speed: speed? })
        }
    }
}

fn nothing_arrives(span: Range<usize>) -> Problem {
    Problem::new(span, "with rates of 0 alone nothing would ever arrive")
        .hint("rates are requests a second")
}

/// `rate`: a number, or a list of them.
fn rates(
    table: &Table<'_>,
    arrival: impl Fn(Rate) -> Arrival,
    problems: &mut Problems,
) -> Vec<Arrival> {
    let Some(node) = table.require("rate", "100", problems) else { return Vec::new() };
    reader::one_or_more(node, problems, above_zero).into_iter().map(arrival).collect()
}

fn above_zero(node: Node<'_>, problems: &mut Problems) -> Option<Rate> {
    reader::positive(node, problems).and_then(Rate::new)
}

fn from_zero(node: Node<'_>, problems: &mut Problems) -> Option<Rate> {
    reader::not_negative(node, problems).and_then(Rate::new)
}

/// A time above zero, which must be there.
fn length(table: &Table<'_>, key: &str, example: &str, problems: &mut Problems) -> Option<Span> {
    let node = table.require(key, example, problems)?;
    let length: Span = reader::quantity(node, problems)?;
    match length.0.is_zero() {
        true => problems.push(Problem::new(node.span(), format!("`{key}` cannot last 0s"))),
        false => Some(length),
    }
}

/// A file of recorded arrivals; relative to the scenario's folder.
fn trace(
    node: Node<'_>,
    folder: Option<&Path>,
    problems: &mut Problems,
) -> Option<std::path::PathBuf> {
    let file = Path::new(reader::text(node, problems)?);
    let Some(folder) = folder else { return Some(file.to_owned()) };
    let place = super::trace_place(folder, file);
    match place.is_file() {
        true => Some(file.to_owned()),
        false => {
            let message = format!("there is no file {}", place.display());
            let hint = "a relative path starts at the scenario's folder; \
                        `lumos trace generate` makes such files";
            problems.push(Problem::new(node.span(), message).hint(hint))
        }
    }
}

fn delayed(node: Node<'_>, problems: &mut Problems) -> Option<Delayed> {
    let table = Table::of(node, "delayed", DELAYED_KEYS, problems)?;
    let share = table.require("share", "0.1", problems).and_then(|node| {
        let wanted = "a share between 0 and 1 is wanted here";
        reader::decimal(node, wanted, |share| (0.0..=1.0).contains(&share), problems)
    });
    let gap = length(&table, "gap", "\"3s\"", problems);
    Some(Delayed { share: Rate::new(share?)?, gap: gap? })
}

/// `[load]`: drivers, duration, requests.
fn period(node: Option<Node<'_>>, problems: &mut Problems) -> (Vec<Driver>, Span, u32) {
    let (mut drivers, mut duration, mut requests) =
        (vec![Driver::Direct], Span(std::time::Duration::from_secs(10)), REQUESTS);
    let Some(table) = node.and_then(|node| Table::of(node, "[load]", LOAD_KEYS, problems)) else {
        return (drivers, duration, requests);
    };
    if let Some(node) = table.get("driver") {
        let known: Vec<&str> = Driver::ALL.iter().map(|driver| driver.as_str()).collect();
        drivers = reader::one_or_more(node, problems, |node, problems| {
            reader::word(node, "driver", &known, problems)
        });
    }
    if let Some(given) = table.get("duration").and_then(|node| reader::quantity(node, problems)) {
        duration = given;
    }
    check::not_zero(&table, "duration", duration.0.is_zero(), problems);
    if let Some(given) = table.get("requests").and_then(|node| reader::number(node, 1, problems)) {
        requests = given;
    }
    (drivers, duration, requests)
}

/// `[pool]`: its keep-alives, and the rest.
fn pool(
    node: Option<Node<'_>>,
    most_in_flight: Option<u32>,
    problems: &mut Problems,
) -> (Vec<Span>, PoolConfig) {
    let mut pool = PoolConfig::default();
    pool.max_instances = most_in_flight.unwrap_or(pool.max_instances);
    let Some(node) = node else { return (vec![pool.keep_alive], pool) };
    let Some(table) = Table::of(node, "[pool]", POOL_KEYS, problems) else {
        return (Vec::new(), pool);
    };
    let keep_alive = match table.get("keep_alive") {
        Some(node) => reader::one_or_more(node, problems, reader::quantity),
        None => vec![pool.keep_alive],
    };
    let mut number = |key, least: u32, default| {
        table.get(key).and_then(|node| reader::number(node, least, problems)).unwrap_or(default)
    };
    pool.max_instances = number("max_instances", 1, pool.max_instances);
    pool.min_instances = number("min_instances", 0, pool.min_instances);
    pool.prewarmed = number("prewarmed", 0, pool.prewarmed);
    pool.queue = number("queue", 0, pool.queue);
    if let Some(scaling) = table.get("scaling").and_then(|node| scaling(node, problems)) {
        pool.scaling = scaling;
    }
    pool.keep_alive = keep_alive.first().copied().unwrap_or(pool.keep_alive);
    check::pool(&table, &pool, most_in_flight, problems);
    (keep_alive, pool)
}

/// `"immediate"`, or a table for Knative's way.
fn scaling(node: Node<'_>, problems: &mut Problems) -> Option<Scaling> {
    if let DeValue::String(_) = node.get_ref() {
        let _: String = reader::word(node, "scaling", &["immediate"], problems).or_else(|| {
            let problem = problems.0.last_mut()?;
            problem.hint = Some(
                "write \"immediate\", or { window = \"60s\", utilization = 70 } for Knative's way"
                    .to_owned(),
            );
            None
        })?;
        return Some(Scaling::Immediate);
    }
    let table = Table::of(node, "scaling", SCALING_KEYS, problems)?;
    let window = match table.get("window") {
        Some(_) => length(&table, "window", "\"60s\"", problems)?,
        None => WINDOW,
    };
    let utilization = match table.get("utilization") {
        Some(node) => {
            let wanted = "a share between 1 and 100 percent is wanted here";
            let right = |percent: f64| (1.0..=100.0).contains(&percent) && percent.fract() == 0.0;
            reader::decimal(node, wanted, right, problems)? as u32
        }
        None => Scaling::DEFAULT_UTILIZATION,
    };
    Some(Scaling::Window { window, utilization })
}
