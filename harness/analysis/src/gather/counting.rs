//! Which rows count for their cell.

use lumos_model::cell::Start;
use lumos_model::row::{Outcome, Row};

/// What a row is to its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    /// The invocation counts.
    Counted,
    /// It was served with another start kind than the cell's.
    WrongStart,
    /// It failed.
    Failed,
}

impl Counting {
    /// Decides for `row`. The start kind is checked again, whatever the outcome says.
    pub fn of(row: &Row) -> Self {
        match row.sample.outcome {
            // Under load the pool decides how a request starts.
            Outcome::Ok if row.cell.start() == Start::Mixed => Self::Counted,
            Outcome::Ok if row.sample.start_kind == row.cell.start() => Self::Counted,
            Outcome::Ok | Outcome::WrongStart => Self::WrongStart,
            _ => Self::Failed,
        }
    }
}

/// Whether a request under load ended because of an overload, and not because the function
/// failed.
pub(crate) fn is_overload(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Rejected | Outcome::Timeout | Outcome::Cancelled)
}
