//! Whether the cells are under load, and `[load]`.

use std::path::Path;
use std::time::Duration;

use lumos_model::arrival::{Arrival, Traffic};
use lumos_model::cell::Driver;
use lumos_model::units::Span;

use super::{arrival, pool};
use crate::check;
use crate::reader::{Node, Problems, Table, number, one_of, one_or_more, quantity};
use crate::scenario::{LoadSettings, Pinning};

/// The default duration of a block.
const DURATION: Span = Span(Duration::from_secs(10));
/// The default number of requests after which a block sends no more.
const REQUESTS: u32 = 100_000;

/// What the tables `[arrival]`, `[load]` and `[pool]` say.
pub(super) enum Load {
    /// No load: one request at a time, each with the start kind of its cell.
    Absent,
    /// Pools under load.
    Present(LoadSettings),
    /// A mistake leaves it undetermined.
    Unknown,
}

impl Load {
    pub(super) fn settings(&self) -> Option<&LoadSettings> {
        match self {
            Load::Present(settings) => Some(settings),
            Load::Absent | Load::Unknown => None,
        }
    }

    /// Concurrent requests need the cores.
    pub(super) fn default_pinning(&self) -> Pinning {
        match self {
            Load::Absent => Pinning::OneCore,
            Load::Present(_) | Load::Unknown => Pinning::None,
        }
    }
}

/// Reads the three tables of `root`. With a `folder`, recorded arrivals must be there.
pub(super) fn load(root: &mut Table<'_>, folder: Option<&Path>, problems: &mut Problems) -> Load {
    let found = problems.len();
    let arrival = root.get("arrival");
    let (load, pool) = (root.get("load"), root.get("pool"));
    let one_at_a_time =
        vec![Traffic { arrival: Arrival::Closed { concurrency: 1 }, delayed: None }];
    let traffic = match arrival {
        Some(node) => arrival::traffic(node, folder, problems),
        None => Some(one_at_a_time.clone()),
    };
    if load.is_none() && pool.is_none() && traffic.as_ref() == Some(&one_at_a_time) {
        return Load::Absent;
    }
    let concurrency = traffic.iter().flatten().filter_map(|traffic| match traffic.arrival {
        Arrival::Closed { concurrency } => Some(concurrency),
        _ => None,
    });
    let most_in_flight = concurrency.max();
    let period = period(load, problems);
    let pools = pool::pools(pool, most_in_flight, problems);
    match (traffic, period, pools) {
        (Some(traffic), Some(period), Some((keep_alive, pool))) if problems.len() == found => {
            let Period { drivers, duration, requests } = period;
            Load::Present(LoadSettings { drivers, traffic, keep_alive, duration, requests, pool })
        }
        _ => Load::Unknown,
    }
}

/// How a block sends requests.
struct Period {
    drivers: Vec<Driver>,
    duration: Span,
    requests: u32,
}

/// `[load]`.
fn period(node: Option<Node<'_>>, problems: &mut Problems) -> Option<Period> {
    let mut period =
        Period { drivers: vec![Driver::Direct], duration: DURATION, requests: REQUESTS };
    let Some(node) = node else { return Some(period) };
    let mut table = Table::of(node, "[load]", problems)?;
    if let Some(node) = table.get("driver") {
        period.drivers = one_or_more(node, problems, |node, problems| {
            one_of(node, "driver", Driver::ALL, problems)
        });
    }
    if let Some(node) = table.get("duration")
        && let Some(duration) = quantity::<Span>(node, problems)
    {
        check::above_zero(node, "duration", duration.0.is_zero(), problems);
        period.duration = duration;
    }
    if let Some(requests) = table.get("requests").and_then(|node| number(node, 1, problems)) {
        period.requests = requests;
    }
    table.finish(problems);
    Some(period)
}
