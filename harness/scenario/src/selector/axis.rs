//! The axes of an experiment.

use std::borrow::Cow;

use lumos_model::cell::Cell;
use lumos_model::units::Span;

use super::pattern::Pattern;

lumos_model::words! {
    /// A property of a cell that scenarios and filters can name.
    Axis, "axis" {
        /// The workload.
        Function = "function",
        /// Size group of the input.
        Size = "size",
        /// Runtime and mode.
        Target = "target",
        /// Where the instance lives.
        Isolation = "isolation",
        /// What is new for each sample.
        Start = "start",
        /// Where input and output are.
        Storage = "storage",
        /// Where the pool's requests come from; under load only.
        Driver = "driver",
        /// How requests arrive, such as `closed-16`; under load only.
        Arrival = "arrival",
        /// How long an instance may be idle; under load only.
        KeepAlive = "keep_alive",
    }
}

impl Axis {
    /// All axes, for messages.
    pub fn list() -> String {
        let words = |of_load| {
            let axes = Axis::ALL.iter().filter(|axis| axis.is_of_load() == of_load);
            axes.map(|axis| axis.as_str()).collect::<Vec<_>>().join(", ")
        };
        format!("{}; under load also {}", words(false), words(true))
    }

    /// Whether only cells under load have it.
    pub(crate) const fn is_of_load(self) -> bool {
        matches!(self, Axis::Driver | Axis::Arrival | Axis::KeepAlive)
    }

    /// The cell's word on this axis; `None` if only cells under load have one.
    pub fn of(self, cell: &Cell) -> Option<Cow<'_, str>> {
        let load = cell.load();
        Some(match self {
            Axis::Function => Cow::Borrowed(cell.function.as_str()),
            Axis::Size => Cow::Borrowed(cell.size.as_str()),
            Axis::Target => Cow::Borrowed(cell.target.as_str()),
            Axis::Isolation => Cow::Borrowed(cell.isolation.as_str()),
            Axis::Start => Cow::Borrowed(cell.start().as_str()),
            Axis::Storage => Cow::Borrowed(cell.storage.as_str()),
            Axis::Driver => Cow::Borrowed(load?.driver.as_str()),
            Axis::Arrival => Cow::Owned(load?.traffic.to_string()),
            Axis::KeepAlive => Cow::Owned(load?.keep_alive.to_string()),
        })
    }

    /// Whether `pattern` matches `word`, a word of this axis. A time may be in any unit.
    pub(crate) fn matches(self, pattern: &Pattern, word: &str) -> bool {
        let is_same_time = || match (pattern.0.parse::<Span>(), word.parse::<Span>()) {
            (Ok(wanted), Ok(found)) => wanted == found,
            _ => false,
        };
        pattern.matches(word) || (self == Axis::KeepAlive && is_same_time())
    }
}
