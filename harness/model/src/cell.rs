//! One point of an experiment.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::arrival::Traffic;
use crate::units::Span;
use crate::words::UnknownWord;

crate::words! {
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

crate::words! {
    /// Where an instance lives.
    Isolation, "isolation" {
        /// In an operating-system process of its own, in a cgroup of its own.
        Process = "process",
        /// Inside the host process.
        Thread = "thread",
    }
}

crate::words! {
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

crate::words! {
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

crate::words! {
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

/// What a cell is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Demand {
    /// Each sample by itself, with this start kind.
    Each(Start),
    /// A load on a pool of instances, which decides how each request starts.
    Load(LoadPoint),
}

/// One point of the experiment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Cell {
    /// The workload.
    pub function: String,
    /// Size group of its input.
    pub size: Size,
    /// Runtime and mode.
    pub target: Target,
    /// Where the instance lives.
    pub isolation: Isolation,
    /// Where input and output are.
    pub storage: Storage,
    /// What the cell is asked for.
    pub demand: Demand,
}

impl Cell {
    /// What is new for each sample; [`Start::Mixed`] under load, where the pool decides.
    pub const fn start(&self) -> Start {
        match self.demand {
            Demand::Each(start) => start,
            Demand::Load(_) => Start::Mixed,
        }
    }

    /// The load; `None`: each sample is asked for by itself.
    pub const fn load(&self) -> Option<&LoadPoint> {
        match &self.demand {
            Demand::Each(_) => None,
            Demand::Load(point) => Some(point),
        }
    }

    /// The same cell on another target.
    #[must_use]
    pub fn on(&self, target: Target) -> Self {
        Self { target, ..self.clone() }
    }

    /// What orders cells: the fields in the order of a cell's name.
    fn key(&self) -> impl Ord + '_ {
        let Self { function, size, target, isolation, storage, .. } = self;
        (function, size, target, isolation, self.start(), storage, self.load())
    }
}

impl PartialOrd for Cell {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cell {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cell { function, size, target, isolation, storage, .. } = self;
        write!(f, "{function}/{size}/{target}/{isolation}/{}/{storage}", self.start())?;
        self.load().map_or(Ok(()), |load| write!(f, "/{load}"))
    }
}

/// A cell as files hold it. A cell under load has the start `mixed` beside its load.
#[derive(Deserialize)]
struct Fields {
    function: String,
    size: Size,
    target: Target,
    isolation: Isolation,
    start: Start,
    storage: Storage,
    #[serde(default)]
    load: Option<LoadPoint>,
}

/// A cell whose start contradicts its load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cell under load starts `mixed`, and no other cell does")]
pub struct ContradictoryStart;

impl TryFrom<Fields> for Cell {
    type Error = ContradictoryStart;

    fn try_from(fields: Fields) -> Result<Self, ContradictoryStart> {
        let Fields { function, size, target, isolation, start, storage, load } = fields;
        let demand = match (start, load) {
            (Start::Mixed, Some(point)) => Demand::Load(point),
            (Start::Mixed, None) | (_, Some(_)) => return Err(ContradictoryStart),
            (start, None) => Demand::Each(start),
        };
        Ok(Self { function, size, target, isolation, storage, demand })
    }
}

// By hand, since `Fields` would have every row of a run clone its cell.
impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let load = self.load();
        let mut cell = serializer.serialize_struct("Cell", 6 + usize::from(load.is_some()))?;
        cell.serialize_field("function", &self.function)?;
        cell.serialize_field("size", &self.size)?;
        cell.serialize_field("target", &self.target)?;
        cell.serialize_field("isolation", &self.isolation)?;
        cell.serialize_field("start", &self.start())?;
        cell.serialize_field("storage", &self.storage)?;
        match load {
            Some(load) => cell.serialize_field("load", load)?,
            None => cell.skip_field("load")?,
        }
        cell.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrival::Arrival;

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
            storage: Storage::Inline,
            demand: Demand::Each(Start::ColdInstance),
        };
        let json = serde_json::to_string(&cell).unwrap();
        assert_eq!(
            json,
            r#"{"function":"noop","size":"tiny","target":"wasmtime-aot","isolation":"thread","start":"cold:instance","storage":"inline"}"#
        );
        assert_eq!(serde_json::from_str::<Cell>(&json).unwrap(), cell);
        let mixed = json.replace("cold:instance", "mixed");
        assert!(serde_json::from_str::<Cell>(&mixed).is_err(), "a mixed start without a load");
    }

    #[test]
    fn a_cell_under_load_starts_mixed() {
        let traffic = Traffic { arrival: Arrival::Closed { concurrency: 4 }, delayed: None };
        let point = LoadPoint { driver: Driver::Http, traffic, keep_alive: "1s".parse().unwrap() };
        let cell = Cell {
            function: "noop".into(),
            size: Size::Tiny,
            target: "native".parse().unwrap(),
            isolation: Isolation::Process,
            storage: Storage::Inline,
            demand: Demand::Load(point),
        };
        let json = serde_json::to_string(&cell).unwrap();
        assert!(json.contains(r#""start":"mixed""#) && json.contains(r#""load":{"#), "{json}");
        assert_eq!(serde_json::from_str::<Cell>(&json).unwrap(), cell);
        assert_eq!(
            cell.to_string(),
            "noop/tiny/native/process/mixed/inline/http/closed-4/keep-alive-1s"
        );
        let warm = json.replace("mixed", "warm");
        assert!(serde_json::from_str::<Cell>(&warm).is_err(), "a warm cell under load");
    }
}
