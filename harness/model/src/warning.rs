//! What makes the numbers of a run less clean than they could be.

use serde::{Deserialize, Serialize};

use crate::cell::Cell;

/// A reason to trust the numbers less. Reports put it into words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Warning {
    /// No control groups: limits are not applied, and memory, throttling and pressure are not
    /// measured.
    NoControlGroups {
        /// Why they cannot be made.
        reason: String,
    },
    /// `lumos doctor` has something to say about the machine.
    Machine {
        /// What it found and what that means for numbers.
        finding: String,
    },
    /// The last line of the rows is incomplete, as when a run is killed while it writes.
    CutShort {
        /// The run directory.
        dir: String,
    },
    /// Planned cells have no rows.
    NoRows {
        /// How many cells.
        cells: usize,
        /// Of how many that were planned.
        planned: usize,
        /// One of them.
        example: Box<Cell>,
    },
    /// Invocations of the control pair failed; they stand in no cell of the summary.
    ControlFailures {
        /// How many invocations.
        count: usize,
        /// What the first one said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        example: Option<String>,
    },
    /// A warning of an earlier version, which wrote text.
    Text {
        /// The text.
        text: String,
    },
}
