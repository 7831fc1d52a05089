//! `[pool]`: how instances are kept.

use std::time::Duration;

use lumos_model::pool::{PoolConfig, Scaling};
use lumos_model::units::Span;
use toml::de::DeValue;

use crate::check;
use crate::error::Problem;
use crate::reader::{Node, Problems, Table, decimal, number, one_or_more, quantity};

/// Knative's default window.
const WINDOW: Span = Span(Duration::from_secs(60));

/// Reads the keep-alives, which are an axis, and the other settings.
pub(super) fn pools(
    node: Option<Node<'_>>,
    most_in_flight: Option<u32>,
    problems: &mut Problems,
) -> Option<(Vec<Span>, PoolConfig)> {
    let mut pool = PoolConfig::default();
    pool.max_instances = most_in_flight.unwrap_or(pool.max_instances);
    let Some(node) = node else { return Some((vec![pool.keep_alive], pool)) };
    let mut table = Table::of(node, "[pool]", problems)?;
    let keep_alive = match table.get("keep_alive") {
        Some(node) => one_or_more(node, problems, quantity),
        None => vec![pool.keep_alive],
    };
    let mut count = |key, least: u32, default| {
        table.get(key).and_then(|node| number(node, least, problems)).unwrap_or(default)
    };
    pool.min_instances = count("min_instances", 0, pool.min_instances);
    pool.max_instances = count("max_instances", 1, pool.max_instances);
    pool.prewarmed = count("prewarmed", 0, pool.prewarmed);
    pool.queue = count("queue", 0, pool.queue);
    if let Some(scaling) = table.get("scaling").and_then(|node| scaling(node, problems)) {
        pool.scaling = scaling;
    }
    pool.keep_alive = keep_alive.first().copied().unwrap_or(pool.keep_alive);
    check::pool(&mut table, &pool, most_in_flight, problems);
    table.finish(problems);
    Some((keep_alive, pool))
}

/// `"immediate"`, or a table for scaling like Knative's.
fn scaling(node: Node<'_>, problems: &mut Problems) -> Option<Scaling> {
    match node.get_ref() {
        DeValue::String(text) if text == "immediate" => return Some(Scaling::Immediate),
        DeValue::String(text) => {
            let problem = Problem::new(node.span(), format!("unknown scaling `{text}`"));
            return problems.push(problem.hint(
                "write \"immediate\", or { window = \"60s\", utilization = 70 } to scale like \
                 Knative",
            ));
        }
        _ => {}
    }
    let mut table = Table::of(node, "`scaling`", problems)?;
    let window = table.get("window").map_or(Some(WINDOW), |node| {
        let window: Span = quantity(node, problems)?;
        check::above_zero(node, "window", window.0.is_zero(), problems);
        Some(window)
    });
    let utilization = table.get("utilization").map_or(Some(Scaling::DEFAULT_UTILIZATION), |node| {
        let expected = "a whole number of percent from 1 to 100";
        let valid = |percent: f64| (1.0..=100.0).contains(&percent) && percent.fract() == 0.0;
        decimal(node, expected, valid, problems).map(|percent| percent as u32)
    });
    table.finish(problems);
    Some(Scaling::Window { window: window?, utilization: utilization? })
}
