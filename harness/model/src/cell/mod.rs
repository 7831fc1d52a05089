//! One point of an experiment.

mod axes;
mod demand;
mod target;

use std::cmp::Ordering;
use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

pub use self::axes::{Driver, Isolation, Size, Start, Storage};
pub use self::demand::{Demand, LoadPoint};
pub use self::target::Target;

/// One point of the experiment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Cell {
    /// The function, by name.
    pub function: String,
    /// Size group of its input.
    pub size: Size,
    /// Runtime and mode.
    pub target: Target,
    /// Where the instance lives.
    pub isolation: Isolation,
    /// Where input and output are stored.
    pub storage: Storage,
    /// Single samples, or a load.
    pub demand: Demand,
}

impl Cell {
    /// The start kind of each sample; [`Start::Mixed`] under load, where the pool decides.
    pub const fn start(&self) -> Start {
        match self.demand {
            Demand::Each(start) => start,
            Demand::Load(_) => Start::Mixed,
        }
    }

    /// The load; `None` for single samples.
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

    /// The sort key: the fields in the order of the cell's name.
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

/// A cell as files hold it. A cell under load has the start kind `mixed`.
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

/// The start kind of a cell contradicts its load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the start kind `mixed` needs a load, and a load needs the start kind `mixed`")]
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

// By hand: serialising through `Fields` would clone the cell for every row of a run.
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
    use crate::arrival::{Arrival, Traffic};

    #[test]
    fn a_cell_serialises_to_an_object_of_words() {
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
            target: Target::native(),
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
