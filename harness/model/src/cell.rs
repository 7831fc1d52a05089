//! One point of an experiment.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::arrival::Traffic;
use crate::units::Span;

/// A word that is none of the known ones.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{word}`; known are {known}")]
pub struct UnknownWord {
    /// What the word should have been.
    pub what: &'static str,
    /// The word as it was written.
    pub word: String,
    /// The words that are known, for people.
    pub known: String,
}

/// Declares a closed set of words: an enum with `ALL`, `as_str`, `Display`,
/// `FromStr` and serde as that word.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// All of them, in their natural order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The word as it stands in files and on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::cell::UnknownWord;

            fn from_str(word: &str) -> Result<Self, $crate::cell::UnknownWord> {
                $name::ALL.iter().copied().find(|known| known.as_str() == word).ok_or_else(|| {
                    $crate::cell::UnknownWord {
                        what: $what,
                        word: word.to_owned(),
                        known: [$($word,)+].join(", "),
                    }
                })
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::cell::UnknownWord;
            fn try_from(word: String) -> Result<Self, $crate::cell::UnknownWord> { word.parse() }
        }

        impl From<$name> for &'static str {
            fn from(value: $name) -> &'static str { value.as_str() }
        }
    };
}
pub(crate) use words;

words! {
    /// Size group of a function's input (Lumos paper, Table 2; `tiny` is for quick runs).
    Size, "size" {
        /// A few kilobytes or a thousand numbers.
        Tiny = "tiny",
        /// 512 KB, 10 000, 512 px.
        Small = "small",
        /// 1 MB, 100 000, 1024 px.
        Medium = "medium",
        /// 2 MB, 1 000 000, 2048 px.
        Large = "large",
    }
}

words! {
    /// Where an instance lives.
    Isolation, "isolation" {
        /// In an operating-system process of its own, in a cgroup of its own.
        Process = "process",
        /// Inside the host process.
        Thread = "thread",
    }
}

words! {
    /// What is new for the invocation, from nothing to everything.
    Start, "start kind" {
        /// The instance has served at least `warmup` invocations.
        Warm = "warm",
        /// The instance is new; engine and compiled module are resident.
        ColdInstance = "cold:instance",
        /// The module is read, compiled or mapped again.
        ColdModule = "cold:module",
        /// The process and its cgroup are new.
        ColdProcess = "cold:process",
        /// The artifact's pages are evicted from the page cache first.
        ColdImage = "cold:image",
        /// Under load: cold or warm as the pool of instances decides.
        Mixed = "mixed",
    }
}

impl Start {
    /// What a single sample can ask for: all of them but [`Start::Mixed`].
    pub const SINGLE: [Start; 5] =
        [Start::Warm, Start::ColdInstance, Start::ColdModule, Start::ColdProcess, Start::ColdImage];

    /// Whether this is one of the cold rungs.
    pub const fn is_cold(self) -> bool {
        !matches!(self, Start::Warm | Start::Mixed)
    }
}

words! {
    /// Where a function finds its input and leaves its output.
    Storage, "storage" {
        /// In the request and the response.
        Inline = "inline",
        /// In a file, through WASI in a wasm guest.
        Local = "local",
        /// In Redis, through the guest's own socket.
        Redis = "redis",
        /// In Redis, through a call of the host.
        Host = "host",
    }
}

words! {
    /// From where a pool of instances is driven.
    Driver, "driver" {
        /// From inside the host process, without a network: the runtime alone.
        Direct = "direct",
        /// By HTTP requests from outside to the host's gateway: the platform's path.
        Http = "http",
    }
}

/// The load that a cell's pool of instances is under.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LoadPoint {
    /// From where.
    pub driver: Driver,
    /// How requests arrive.
    pub traffic: Traffic,
    /// How long an instance may be idle before it is reclaimed.
    pub keep_alive: Span,
}

impl fmt::Display for LoadPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LoadPoint { driver, traffic, keep_alive } = self;
        write!(f, "{driver}/{traffic}/keep-alive-{keep_alive}")
    }
}

/// A runtime with its mode, such as `wasmedge-aot`; `native` has no mode.
///
/// Nothing but a runtime's own crate knows its name, so this is a checked word and
/// no closed set.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Target(String);

impl Target {
    /// The word as it stands in files and on the command line.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The runtime: what stands before the first `-`.
    pub fn runtime(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(runtime, _)| runtime)
    }

    /// The mode: what stands after the first `-`, if anything.
    pub fn mode(&self) -> Option<&str> {
        self.0.split_once('-').map(|(_, mode)| mode)
    }

    /// Whether this is the target that all others are compared with.
    pub fn is_native(&self) -> bool {
        self.0 == "native"
    }
}

impl FromStr for Target {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let plain = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if word.split('-').all(plain) {
            return Ok(Self(word.to_owned()));
        }
        Err(UnknownWord {
            what: "target",
            word: word.to_owned(),
            known: "those that `lumos list targets` shows".to_owned(),
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

/// One point of the experiment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// The workload.
    pub function: String,
    /// Size group of its input.
    pub size: Size,
    /// Runtime and mode.
    pub target: Target,
    /// Where the instance lives.
    pub isolation: Isolation,
    /// What is new for each sample.
    pub start: Start,
    /// Where input and output are.
    pub storage: Storage,
    /// The load; absent: one invocation at a time, each with the start kind [`start`].
    ///
    /// [`start`]: Self::start
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadPoint>,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cell { function, size, target, isolation, start, storage, load } = self;
        write!(f, "{function}/{size}/{target}/{isolation}/{start}/{storage}")?;
        load.as_ref().map_or(Ok(()), |load| write!(f, "/{load}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for start in Start::ALL {
            assert_eq!(start.as_str().parse(), Ok(*start));
        }
        let error = "cold".parse::<Start>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown start kind `cold`; known are warm, cold:instance, cold:module, \
             cold:process, cold:image, mixed"
        );
    }

    #[test]
    fn targets_split_at_the_first_dash() {
        let target: Target = "container-runc".parse().unwrap();
        assert_eq!((target.runtime(), target.mode()), ("container", Some("runc")));
        let native: Target = "native".parse().unwrap();
        assert_eq!((native.runtime(), native.mode()), ("native", None));
        for wrong in ["", "-aot", "wasmedge-", "Was", "a/b", "../x"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong} was accepted");
        }
    }

    #[test]
    fn a_cell_is_an_object_with_words() {
        let cell = Cell {
            function: "noop".into(),
            size: Size::Tiny,
            target: "wasmtime-aot".parse().unwrap(),
            isolation: Isolation::Thread,
            start: Start::ColdInstance,
            storage: Storage::Inline,
            load: None,
        };
        let json = serde_json::to_value(&cell).unwrap();
        assert_eq!(json["start"], "cold:instance");
        assert_eq!(serde_json::from_value::<Cell>(json).unwrap(), cell);
    }
}
