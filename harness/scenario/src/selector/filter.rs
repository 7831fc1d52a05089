//! Patterns by axis.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use lumos_model::cell::Cell;
use serde::{Deserialize, Serialize};

use super::axis::Axis;
use super::pattern::Pattern;
use crate::words::closest;

/// Patterns by axis. The patterns of one axis are alternatives; all axes must match. Without
/// any pattern it matches every cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Selector(BTreeMap<Axis, Vec<Pattern>>);

impl Selector {
    /// Adds an alternative on `axis`.
    pub(crate) fn add(&mut self, axis: Axis, pattern: Pattern) {
        self.0.entry(axis).or_default().push(pattern);
    }

    /// Whether the cell matches on every axis.
    pub fn matches(&self, cell: &Cell) -> bool {
        self.0.iter().all(|(axis, patterns)| {
            let word = axis.of(cell);
            word.is_some_and(|word| patterns.iter().any(|pattern| axis.matches(pattern, &word)))
        })
    }

    /// Whether it has no pattern.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds all alternatives of `other`.
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

/// Text that is not `key=value,..`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSelector {
    /// A part without `=`.
    #[error("`{0}` is not key=value; write for example function=fibonacci,target=wasmtime-*")]
    NoPair(String),
    /// A key that is not an axis.
    #[error("unknown key `{key}`{hint}; known keys are {}", Axis::list())]
    UnknownKey {
        /// As given.
        key: String,
        /// A suggestion in parentheses, or nothing.
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
            let axis = key.trim().parse().map_err(|_| unknown(key.trim()))?;
            selector.add(axis, Pattern(value.trim().to_owned()));
        }
        Ok(selector)
    }
}

fn unknown(key: &str) -> BadSelector {
    let hint = closest(key, Axis::ALL.iter().map(|axis| axis.as_str()))
        .map(|word| format!(" (did you mean `{word}`?)"))
        .unwrap_or_default();
    BadSelector::UnknownKey { key: key.to_owned(), hint }
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
    fn patterns_of_one_key_are_alternatives_and_all_keys_must_match() {
        let selector: Selector = "target=native,target=*-aot,start=cold:*".parse().unwrap();
        assert!(selector.matches(&cell("native", "cold:process")));
        assert!(selector.matches(&cell("wasmtime-aot", "cold:image")));
        assert!(!selector.matches(&cell("wasmtime-jit", "cold:image")));
        assert!(!selector.matches(&cell("native", "warm")));
        assert!(Selector::default().matches(&cell("native", "warm")));
    }

    #[test]
    fn a_load_is_selected_by_its_words_and_a_time_in_any_unit() {
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
    fn only_axes_of_a_load_have_no_word_without_load() {
        let cell = cell("native", "warm");
        for axis in Axis::ALL {
            assert_eq!(axis.of(&cell).is_none(), axis.is_of_load(), "{axis}");
        }
    }

    #[test]
    fn a_mistyped_key_is_refused_with_a_hint() {
        let error = "functoin=noop".parse::<Selector>().unwrap_err().to_string();
        assert!(error.contains("did you mean `function`?"), "{error}");
        assert!(error.ends_with("driver, arrival, keep_alive"), "{error}");
        assert!("noop".parse::<Selector>().is_err());
    }
}
