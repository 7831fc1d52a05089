//! Patterns over cells: what `--filter` keeps and what an `[[exclude]]` takes out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use lumos_model::cell::{Cell, LoadPoint};
use lumos_model::units::Span;
use serde::{Deserialize, Serialize};

use crate::words::closest;

/// A part of a cell that can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// The workload.
    Function,
    /// Size group of its input.
    Size,
    /// Runtime and mode.
    Target,
    /// Where the instance lives.
    Isolation,
    /// What is new for each sample.
    Start,
    /// Where input and output are.
    Storage,
    /// From where the pool is driven; of cells under load.
    Driver,
    /// How requests arrive, such as `closed-16`; of cells under load.
    Arrival,
    /// How long an instance may be idle; of cells under load.
    KeepAlive,
}

impl Axis {
    /// All of them, in the order of a cell's name.
    pub const ALL: [Axis; 9] = [
        Axis::Function,
        Axis::Size,
        Axis::Target,
        Axis::Isolation,
        Axis::Start,
        Axis::Storage,
        Axis::Driver,
        Axis::Arrival,
        Axis::KeepAlive,
    ];

    /// Those that only cells under load have.
    pub const OF_LOAD: [Axis; 3] = [Axis::Driver, Axis::Arrival, Axis::KeepAlive];

    /// The word as it stands in files and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Axis::Function => "function",
            Axis::Size => "size",
            Axis::Target => "target",
            Axis::Isolation => "isolation",
            Axis::Start => "start",
            Axis::Storage => "storage",
            Axis::Driver => "driver",
            Axis::Arrival => "arrival",
            Axis::KeepAlive => "keep_alive",
        }
    }

    /// The cell's word on this axis; `None`: it is under no load, so it has none.
    pub fn of(self, cell: &Cell) -> Option<Cow<'_, str>> {
        let borrowed = match self {
            Axis::Function => cell.function.as_str(),
            Axis::Size => cell.size.as_str(),
            Axis::Target => cell.target.as_str(),
            Axis::Isolation => cell.isolation.as_str(),
            Axis::Start => cell.start().as_str(),
            Axis::Storage => cell.storage.as_str(),
            Axis::Driver | Axis::Arrival | Axis::KeepAlive => {
                return cell.load().and_then(|point| self.of_load(point));
            }
        };
        Some(Cow::Borrowed(borrowed))
    }

    /// The word of a load on this axis; `None`: the axis is another one.
    pub fn of_load(self, point: &LoadPoint) -> Option<Cow<'_, str>> {
        match self {
            Axis::Driver => Some(Cow::Borrowed(point.driver.as_str())),
            Axis::Arrival => Some(Cow::Owned(point.traffic.to_string())),
            Axis::KeepAlive => Some(Cow::Owned(point.keep_alive.to_string())),
            _ => None,
        }
    }

    /// Whether `word`, which is of this axis, is of `pattern`. A time may be written in any
    /// unit.
    pub fn matches(self, pattern: &Pattern, word: &str) -> bool {
        let is_same_time = || match (pattern.0.parse::<Span>(), word.parse::<Span>()) {
            (Ok(wanted), Ok(found)) => wanted == found,
            _ => false,
        };
        pattern.matches(word) || (self == Axis::KeepAlive && is_same_time())
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word in which `*` stands for any text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(pub String);

impl Pattern {
    /// Whether `word` is of this pattern.
    pub fn matches(&self, word: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = word.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            let Some(found) = rest.find(part) else { return false };
            rest = &rest[found + part.len()..];
        }
        rest.ends_with(last)
    }
}

/// Patterns by axis: those of one axis are alternatives, all axes must match. With no
/// pattern it matches every cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Selector(BTreeMap<Axis, Vec<Pattern>>);

impl Selector {
    /// Adds an alternative on `axis`.
    pub fn add(&mut self, axis: Axis, pattern: Pattern) {
        self.0.entry(axis).or_default().push(pattern);
    }

    /// Whether the cell matches on every axis.
    pub fn matches(&self, cell: &Cell) -> bool {
        self.0.iter().all(|(axis, patterns)| {
            let word = axis.of(cell);
            word.is_some_and(|word| patterns.iter().any(|pattern| axis.matches(pattern, &word)))
        })
    }

    /// Whether no axis is bound.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds all of `other`'s alternatives.
    pub fn extend(&mut self, other: &Selector) {
        for (axis, patterns) in &other.0 {
            self.0.entry(*axis).or_default().extend(patterns.iter().cloned());
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (axis, patterns) in &self.0 {
            for Pattern(pattern) in patterns {
                write!(f, "{comma}{axis}={pattern}")?;
                comma = ",";
            }
        }
        Ok(())
    }
}

/// Text that is no `key=value,..`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSelector {
    /// A part without `=`.
    #[error("`{0}` is no key=value; write for example function=fibonacci,target=wasmtime-*")]
    NoPair(String),
    /// A key that is no axis.
    #[error(
        "unknown key `{key}`{hint}; known are function, size, target, isolation, start, storage, \
         driver, arrival, keep_alive"
    )]
    UnknownKey {
        /// As it was written.
        key: String,
        /// What may have been meant, or nothing.
        hint: String,
    },
}

impl FromStr for Selector {
    type Err = BadSelector;

    fn from_str(text: &str) -> Result<Self, BadSelector> {
        let mut selector = Selector::default();
        for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| BadSelector::NoPair(pair.to_owned()))?;
            let key = key.trim();
            let axis =
                Axis::ALL.into_iter().find(|axis| axis.as_str() == key).ok_or_else(|| {
                    let hint = closest(key, Axis::ALL.iter().map(|axis| axis.as_str()))
                        .map(|word| format!(" (did you mean `{word}`?)"))
                        .unwrap_or_default();
                    BadSelector::UnknownKey { key: key.to_owned(), hint }
                })?;
            selector.add(axis, Pattern(value.trim().to_owned()));
        }
        Ok(selector)
    }
}

#[cfg(test)]
mod tests {
    use lumos_model::cell::Demand;

    use super::*;

    fn cell(target: &str, start: &str) -> Cell {
        serde_json::from_value(serde_json::json!({
            "function": "noop", "size": "tiny", "target": target,
            "isolation": "process", "start": start, "storage": "inline",
        }))
        .unwrap()
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, word, expected) in [
            ("warm", "warm", true),
            ("warm", "warmer", false),
            ("cold:*", "cold:image", true),
            ("*-aot", "wasmedge-aot", true),
            ("w*e-*t", "wasmtime-jit", true),
            ("w*e-*t", "wasmedge-interp", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "x", false),
        ] {
            assert_eq!(Pattern(pattern.into()).matches(word), expected, "{pattern} {word}");
        }
    }

    #[test]
    fn one_key_is_an_or_and_two_keys_are_an_and() {
        let selector: Selector = "target=native,target=*-aot,start=cold:*".parse().unwrap();
        assert!(selector.matches(&cell("native", "cold:process")));
        assert!(selector.matches(&cell("wasmtime-aot", "cold:image")));
        assert!(!selector.matches(&cell("wasmtime-jit", "cold:image")));
        assert!(!selector.matches(&cell("native", "warm")));
        assert!(Selector::default().matches(&cell("native", "warm")));
    }

    #[test]
    fn a_load_is_named_by_its_words_and_a_time_in_any_unit() {
        let point = serde_json::from_value(serde_json::json!({
            "driver": "http", "keep_alive": "60s",
            "traffic": {"arrival": {"kind": "closed", "concurrency": 16}},
        }));
        let under_load = Cell { demand: Demand::Load(point.unwrap()), ..cell("native", "warm") };
        let matches = |text: &str, cell: &Cell| text.parse::<Selector>().unwrap().matches(cell);
        for filter in ["driver=http", "arrival=closed-16", "arrival=closed-*", "keep_alive=60s"] {
            assert!(matches(filter, &under_load), "{filter}");
            assert!(!matches(filter, &cell("native", "warm")), "{filter}");
        }
        assert!(matches("keep_alive=1m", &under_load) && !matches("keep_alive=6s", &under_load));
        assert!(!matches("arrival=closed-1", &under_load));
    }

    #[test]
    fn nonsense_is_refused_with_a_hint() {
        let error = "functoin=noop".parse::<Selector>().unwrap_err().to_string();
        assert!(error.contains("did you mean `function`?"), "{error}");
        assert!("noop".parse::<Selector>().is_err());
    }
}
