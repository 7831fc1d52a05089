//! A runtime with its mode.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::words::UnknownWord;

/// A runtime with its mode, such as `wasmedge-aot`; `native` has no mode.
///
/// The set is open, because only a runtime's own crate knows its name: the word is checked
/// for its form alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Target(String);

const NATIVE: &str = "native";

impl Target {
    /// The target that all others are compared with.
    pub fn native() -> Self {
        Self(NATIVE.to_owned())
    }

    /// Whether this is [`Target::native`].
    pub fn is_native(&self) -> bool {
        self.0 == NATIVE
    }

    /// The word used in files and on the command line.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The runtime: the part before the first `-`.
    pub fn runtime(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(runtime, _)| runtime)
    }

    /// The mode: the part after the first `-`, if there is one.
    pub fn mode(&self) -> Option<&str> {
        self.0.split_once('-').map(|(_, mode)| mode)
    }
}

impl FromStr for Target {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let is_plain = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if word.split('-').all(is_plain) {
            return Ok(Self(word.to_owned()));
        }
        Err(UnknownWord {
            what: "target",
            word: word.to_owned(),
            known: "the targets that `lumos list targets` shows".to_owned(),
        })
    }
}

impl TryFrom<String> for Target {
    type Error = UnknownWord;
    fn try_from(word: String) -> Result<Self, UnknownWord> {
        word.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> String {
        target.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_split_at_the_first_dash() {
        let target: Target = "container-runc".parse().unwrap();
        assert_eq!((target.runtime(), target.mode()), ("container", Some("runc")));
        let native: Target = "native".parse().unwrap();
        assert_eq!((native.runtime(), native.mode()), ("native", None));
        assert!(native == Target::native() && native.is_native());
        for wrong in ["", "-aot", "wasmedge-", "Was", "a/b", "../x"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong} was accepted");
        }
    }
}
