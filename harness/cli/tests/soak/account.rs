//! The clients' account of their requests.

use std::collections::BTreeMap;

use lumos_load::http::{Outcome, Record};

/// The functions that are served.
pub const FUNCTIONS: [&str; 3] = ["conformance", "leavers", "noop"];
/// The causes that the server may count for a client that has closed its connection.
pub const LEAVER_CAUSES: [&str; 3] = ["client-left", "deadline-passed", "queue-full"];

/// Two causes share a status and are counted together: the server drains, or an instance could
/// not be made, which happens when this takes longer than the time limit.
pub const UNAVAILABLE: &str = "draining or no-instance";

/// The fate of a request; each has exactly one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The server has counted the request with this cause.
    Counted(String),
    /// The client closed the connection: the server has counted the request with one of
    /// [`LEAVER_CAUSES`].
    Closed,
    /// The server has not counted the request, for this reason.
    Unseen(&'static str),
    /// The path belongs to no function.
    UnknownPath,
}

/// The number of requests by function and fate.
#[derive(Clone, Debug, Default)]
pub struct Account(BTreeMap<(&'static str, Fate), u64>);

impl Account {
    pub fn add(&mut self, function: &'static str, fate: Fate) {
        *self.0.entry((function, fate)).or_default() += 1;
    }

    pub fn merge(&mut self, other: Self) {
        for (key, count) in other.0 {
            *self.0.entry(key).or_default() += count;
        }
    }

    /// All requests.
    pub fn begun(&self) -> u64 {
        self.0.values().sum()
    }

    /// The requests to `function` that the server has counted, by cause.
    pub fn counted(&self, function: &str) -> BTreeMap<String, u64> {
        let all = self.0.iter().filter(|((of, _), _)| *of == function);
        all.filter_map(|((_, fate), count)| match fate {
            Fate::Counted(cause) => Some((cause.clone(), *count)),
            _ => None,
        })
        .collect()
    }

    /// The requests to all functions whose fate satisfies `of`.
    pub fn sum(&self, of: impl Fn(&Fate) -> bool) -> u64 {
        self.0.iter().filter(|((_, fate), _)| of(fate)).map(|(_, count)| count).sum()
    }

    /// The requests that were counted with `cause`.
    pub fn cause(&self, cause: &str) -> u64 {
        self.sum(|fate| matches!(fate, Fate::Counted(counted) if counted == cause))
    }

    /// One line per fate, for people.
    pub fn lines(&self) -> Vec<String> {
        let line = |((function, fate), count): (&(&str, Fate), &u64)| {
            let (side, fate) = match fate {
                Fate::Counted(cause) => ("both", cause.as_str()),
                Fate::Closed => ("both", "client closed"),
                Fate::UnknownPath => ("both", "unknown path"),
                Fate::Unseen(why) => ("client only", *why),
            };
            format!("  {count:>9}  {function:<11}  {side:<11}  {fate}")
        };
        self.0.iter().map(line).collect()
    }
}

/// The cause of a status, among the causes that requests of the mix can have.
pub fn cause_of(status: u16) -> &'static str {
    match status {
        200 => "answered",
        400 => "bad-request",
        405 => "method-not-allowed",
        413 => "body-too-long",
        429 => "queue-full",
        500 => "function-failed",
        502 => "trapped",
        503 => UNAVAILABLE,
        504 => "deadline-passed",
        other => panic!("no request of the mix can have the status {other}"),
    }
}

/// The key under which a cause is counted here.
pub fn key(cause: &str) -> &str {
    if ["draining", "no-instance"].contains(&cause) { UNAVAILABLE } else { cause }
}

/// The fate of a request of the load generator.
///
/// # Panics
/// If the server has violated the protocol or not responded at all.
pub fn fate_of(record: &Record, server_ends: bool) -> Fate {
    match (record.outcome, record.status) {
        (Outcome::Ok | Outcome::Status, Some(404)) => Fate::UnknownPath,
        (Outcome::Ok | Outcome::Status, Some(status)) => Fate::Counted(cause_of(status).into()),
        (Outcome::Disconnected, _) => Fate::Closed,
        (Outcome::Closed | Outcome::Reset, _) if !server_ends => {
            Fate::Unseen("the connection had idled too long")
        }
        (Outcome::Closed | Outcome::Reset | Outcome::Connect, _) if server_ends => {
            Fate::Unseen("the server had closed")
        }
        _ => panic!("no request of the mix may end this way: {record:?}"),
    }
}
