//! Reasons to trust the numbers of a run less.

use serde::{Deserialize, Serialize};

use crate::cell::Cell;

/// A reason to trust the numbers less. Reports turn it into text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Warning {
    /// There are no control groups: limits are not enforced, and memory, throttling and pressure
    /// are not measured.
    NoControlGroups {
        /// Why they cannot be created.
        reason: String,
    },
    /// `lumos doctor` found a problem with the machine.
    Machine {
        /// The problem and its effect on the numbers.
        finding: String,
    },
    /// The last row is incomplete, as after a run that was killed while it wrote.
    CutShort {
        /// The run directory.
        dir: String,
    },
    /// Planned cells have no rows.
    NoRows {
        /// Number of cells without rows.
        cells: usize,
        /// Number of planned cells.
        planned: usize,
        /// One of the cells without rows.
        example: Box<Cell>,
    },
    /// Invocations of the control pair failed. They do not appear in any cell of the summary.
    ControlFailures {
        /// Number of failed invocations.
        count: usize,
        /// The error of the first one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        example: Option<String>,
    },
    /// A warning written by an earlier version, as text.
    Text {
        /// The text.
        text: String,
    },
}
