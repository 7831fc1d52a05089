//! What became of requests, as their clients saw it.

use std::collections::BTreeMap;

use lumos_load::http::{Outcome, Record};

/// The functions that are served.
pub const FUNCTIONS: [&str; 3] = ["conformance", "leavers", "noop"];
/// What the server may have taken a client for that closed for good.
pub const WORDS_OF_LEAVERS: [&str; 3] = ["client-left", "deadline-passed", "queue-full"];

/// Two causes have one status and are counted together: the server drains, or an instance
/// could not be made, which happens where making it takes longer than the time limit.
pub const UNAVAILABLE: &str = "draining or no-instance";

/// The one thing that became of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The server has counted it for this cause.
    Counted(String),
    /// The client closed for good: the server has counted it for one of
    /// [`WORDS_OF_LEAVERS`].
    Closed,
    /// The server has counted it for no function, for this reason.
    NotHeard(&'static str),
    /// Its path is no function's.
    UnknownPath,
}

/// How many requests had which fate, by function.
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

    /// All that were begun.
    pub fn begun(&self) -> u64 {
        self.0.values().sum()
    }

    /// Those of `function` that the server has counted, by cause.
    pub fn counted(&self, function: &str) -> BTreeMap<String, u64> {
        let all = self.0.iter().filter(|((of, _), _)| *of == function);
        all.filter_map(|((_, fate), count)| match fate {
            Fate::Counted(cause) => Some((cause.clone(), *count)),
            _ => None,
        })
        .collect()
    }

    /// Those of all functions for which `of` holds.
    pub fn sum(&self, of: impl Fn(&Fate) -> bool) -> u64 {
        self.0.iter().filter(|((_, fate), _)| of(fate)).map(|(_, count)| count).sum()
    }

    /// How many were counted for `cause`.
    pub fn cause(&self, cause: &str) -> u64 {
        self.sum(|fate| matches!(fate, Fate::Counted(counted) if counted == cause))
    }

    /// One line a fate, for people.
    pub fn lines(&self) -> Vec<String> {
        let line = |((function, fate), count): (&(&str, Fate), &u64)| {
            let (side, fate) = match fate {
                Fate::Counted(cause) => ("both", cause.as_str()),
                Fate::Closed => ("both", "closed for good"),
                Fate::UnknownPath => ("both", "unknown path"),
                Fate::NotHeard(why) => ("client only", *why),
            };
            format!("  {count:>9}  {function:<11}  {side:<11}  {fate}")
        };
        self.0.iter().map(line).collect()
    }
}

/// The cause that a status stands for, among those that the requests of the mix can have.
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

/// The word under which a cause is counted here.
pub fn word(cause: &str) -> &str {
    if ["draining", "no-instance"].contains(&cause) { UNAVAILABLE } else { cause }
}

/// What became of a request of the load generator.
///
/// # Panics
/// When the server has not kept to the protocol, or not answered at all.
pub fn fate_of(record: &Record, server_ends: bool) -> Fate {
    match (record.outcome, record.status) {
        (Outcome::Ok | Outcome::Status, Some(404)) => Fate::UnknownPath,
        (Outcome::Ok | Outcome::Status, Some(status)) => Fate::Counted(cause_of(status).into()),
        (Outcome::Disconnected, _) => Fate::Closed,
        (Outcome::Closed | Outcome::Reset, _) if !server_ends => {
            Fate::NotHeard("the connection had been idle for too long")
        }
        (Outcome::Closed | Outcome::Reset | Outcome::Connect, _) if server_ends => {
            Fate::NotHeard("the server had closed")
        }
        _ => panic!("no request of the mix may end like this: {record:?}"),
    }
}
